#include "traces/readers/fields.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;

namespace {
std::vector<std::string> split(std::string_view line) {
  std::vector<std::string_view> fields;
  if (!split_csv(line, fields)) return {"refused"};
  return {fields.begin(), fields.end()};
}
}  // namespace

TEST_CASE("CSV rows are split at commas outside quotes") {
  using Fields = std::vector<std::string>;
  CHECK(split("a,b,c") == Fields{"a", "b", "c"});
  CHECK(split(" a ,\tb,") == Fields{"a", "b", ""});
  CHECK(split("") == Fields{""});
  CHECK(split(",") == Fields{"", ""});
  CHECK(split("\"a,b\",c") == Fields{"a,b", "c"});
  CHECK(split(" \"a\" ,\"\"") == Fields{"a", ""});
  CHECK(split("\"a\"\"b\",c") == Fields{"a\"\"b", "c"});
  CHECK(split("\"a,b") == Fields{"refused"});
  CHECK(split("\"a\"b,c") == Fields{"refused"});
  CHECK(split("\"") == Fields{"refused"});
}

TEST_CASE("Token counts are whole numbers from 1 to 10^9") {
  platforms::Tokens tokens = 0;
  for (const std::string_view good : {"374", "374.0", "3.74e2", "0374"}) {
    CHECK(read_tokens(good, tokens));
    CHECK(tokens == 374);
  }
  CHECK((read_tokens("1000000000", tokens) && tokens == 1'000'000'000));
  for (const std::string_view bad : {"0", "-4", "", " ", "1.5", "nan", "NaN", "inf", "1e400", "1000000001",
                                     "9999999999", "99999999999999999999999", "12x", "+5", "0x10", "1,0"}) {
    INFO(bad);
    CHECK_FALSE(read_tokens(bad, tokens));
  }
}

TEST_CASE("Seconds are read to the nanosecond") {
  std::int64_t ns = 0;
  const std::vector<std::pair<std::string_view, std::int64_t>> good = {
      {"0", 0},
      {"0.25", 250'000'000},
      {"12.", 12'000'000'000},
      {".5", 500'000'000},
      {"1e3", 1'000'000'000'000},
      {"000000000000001", 1'000'000'000},
      {"0.1234567894", 123'456'789},
      {"0.1234567895", 123'456'790},
      {"0.9999999999", 1'000'000'000},
      {"8999999999.999999999", 8'999'999'999'999'999'999}};
  for (const auto& [text, expected] : good) {
    INFO(text);
    CHECK(read_seconds(text, ns));
    CHECK(ns == expected);
  }
  for (const std::string_view bad :
       {"", ".", "-1", "-0.5", "1.2.3", "nan", "inf", "9000000000", "1e10", "12s", "1e", "99999999999"}) {
    INFO(bad);
    CHECK_FALSE(read_seconds(bad, ns));
  }
}

TEST_CASE("Dates are read exactly, with zones") {
  std::int64_t ns = 0;
  const std::vector<std::pair<std::string_view, std::int64_t>> good = {
      {"1970-01-01 00:00:00", 0},
      {"2023-11-16 18:15:46.6805900", 1'700'158'546'680'590'000},
      {"2023-11-16T18:15:46.680590Z", 1'700'158'546'680'590'000},
      {"2023-11-16 18:15:46.680590+00:00", 1'700'158'546'680'590'000},
      {"2023-11-16 19:45:46.68059+01:30", 1'700'158'546'680'590'000},
      {"2023-11-16 16:15:46.680590000-02:00", 1'700'158'546'680'590'000},
      {"2000-02-29 12:00:00", 951'825'600'000'000'000},
      {"2199-12-31 23:59:59", 7'258'118'399'000'000'000}};
  for (const auto& [text, expected] : good) {
    INFO(text);
    CHECK(read_date(text, ns));
    CHECK(ns == expected);
  }
  for (const std::string_view bad :
       {"", "2023-11-16", "2023-11-16 18:15", "2023-13-16 18:15:46", "2023-02-29 18:15:46", "2100-02-29 00:00:00",
        "2023-11-31 00:00:00", "2023-11-16 24:15:46", "2023-11-16 18:60:46", "2023-11-16 18:15:46.",
        "2023-11-16 18:15:46+0", "2023-11-16 18:15:46+01:60", "2023-11-16 18:15:46 UTC", "1969-12-31 23:59:59",
        "2200-01-01 00:00:00", "23-11-16 18:15:46", "2023/11/16 18:15:46", "2023-11-00 00:00:00"}) {
    INFO(bad);
    CHECK_FALSE(read_date(bad, ns));
  }
}

TEST_CASE("Input in messages is short and printable") {
  CHECK(shown_text("a\tb\x01") == "\"a?b?\"");
  CHECK(shown_text(std::string(80, 'x')) == '"' + std::string(80, 'x') + '"');
  CHECK(shown_text(std::string(81, 'x')) == '"' + std::string(80, 'x') + "…\"");
  // Cut between characters, not inside one.
  const std::string most(79, 'x');
  CHECK(shown_text(most + "äää") == '"' + most + "…\"");
  CHECK(shown_text("ä€😀") == "\"ä€😀\"");
  // What is no UTF-8: a byte alone, a character cut, one too long for its number, half a pair, beyond the last one.
  CHECK(shown_text("a\xFF\x80z") == "\"a??z\"");
  CHECK(shown_text("\xE2\x82") == "\"??\"");
  CHECK(shown_text("\xC0\xAF \xE0\x80\xAF") == "\"?? ???\"");
  CHECK(shown_text("\xED\xA0\x80") == "\"???\"");
  CHECK(shown_text("\xF4\x90\x80\x80") == "\"????\"");
  CHECK(shown_text(std::string(100, '\x80')) == '"' + std::string(80, '?') + "…\"");
}

TEST_CASE("A key is mistyped where a letter, case or what joins its words differs") {
  for (const std::string_view key :
       {"waitfor", "waitFor", "wait-for", "WAIT_FOR", "wait_fo", "wait_forr", "wiat_for"}) {
    INFO(key);
    CHECK(mistyped(key, "wait_for"));
  }
  for (const std::string_view key : {"", "wait", "await_forr", "wait_until"}) {
    INFO(key);
    CHECK_FALSE(mistyped(key, "wait_for"));
  }
  CHECK(mistyped("timestam", "timestamp"));
  CHECK_FALSE(mistyped("mode", "model"));
  CHECK_FALSE(mistyped("models", "model"));  // of the published sessions' sub-agents
  CHECK_FALSE(mistyped("int", "in"));
}
