#include "traces/readers/line_file.hpp"

#include <algorithm>
#include <cstring>

#include "sim/input/faults.hpp"

namespace tokenyard::traces {

LineFile::LineFile(std::string path, std::size_t block_bytes)
    : file_(path), path_(std::move(path)), buffer_(std::max<std::size_t>(block_bytes, 16) + kPadding) {
  while (end_ < 4 && fill()) {
  }
  refuse_binary();
  if (end_ >= 3 && std::string_view(buffer_.data(), 3) == kByteOrderMark) begin_ = 3;
}

void LineFile::refuse_binary() const {
  const std::string_view head(buffer_.data(), std::min<std::size_t>(end_, 4));
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) {
    throw sim::InputError({path_, "", "UTF-16 text", "UTF-8 text"});
  }
  if (head.find('\0') != std::string_view::npos) throw sim::InputError({path_, "", "binary data", "a trace in text"});
}

bool LineFile::fill() {
  if (at_end_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ + kPadding == buffer_.size()) buffer_.resize(2 * end_ + kPadding);
  const std::size_t got = file_.read(buffer_.data() + end_, buffer_.size() - kPadding - end_);
  at_end_ = got == 0;
  end_ += got;
  return !at_end_;
}

bool LineFile::next(std::string_view& line) {
  std::size_t searched = 0;  // bytes from begin_ known to hold no end of line
  while (true) {
    const char* text = buffer_.data() + begin_;
    const std::size_t held = end_ - begin_;
    const void* found = held > searched ? std::memchr(text + searched, '\n', held - searched) : nullptr;
    if (found != nullptr) {
      std::size_t length = static_cast<std::size_t>(static_cast<const char*>(found) - text);
      begin_ += length + 1;
      searched = 0;
      if (skipping_) {  // the tail of a line that was cut
        skipping_ = false;
        continue;
      }
      if (length > 0 && text[length - 1] == '\r') --length;
      too_long_ = length > kMaxLine;
      line = {text, std::min(length, kMaxLine)};
      ++number_;
      return true;
    }
    searched = held;
    if (skipping_) {
      begin_ = end_;
      searched = 0;
    } else if (held > kMaxLine + 1) {  // even if "\r" were to follow
      line = {text, kMaxLine};
      begin_ = end_;
      skipping_ = too_long_ = true;
      ++number_;
      return true;
    }
    if (fill()) continue;
    if (begin_ == end_) return false;
    line = {buffer_.data() + begin_, end_ - begin_};  // the last line, without its end
    if (line.back() == '\r') line.remove_suffix(1);
    begin_ = end_;
    too_long_ = false;
    ++number_;
    return true;
  }
}

}  // namespace tokenyard::traces
