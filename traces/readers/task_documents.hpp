#pragma once
/// Tasks of a file of JSON documents, one each. The file is read twice: first to find all names and faults, then task
/// by task, so that only one is held.
///
///   class MySessions final : public TaskDocuments { bool read_task(Element root, RecordedTask& task) override … };
///   auto sessions = std::make_unique<MySessions>(…);
///   sessions->look_through();

#include "traces/readers/json_documents.hpp"

namespace tokenyard::traces {

class TaskDocuments : public agents::RecordedTaskSource {
 public:
  TaskDocuments(const std::string& path, bool skip_faulty, std::string_view what, std::string_view expected)
      : log_(skip_faulty), documents_(path, log_, what, expected) {}

  /// Throws sim::InputError with what is wrong; then the file is at its beginning.
  void look_through() {
    agents::RecordedTask task;
    bool any = false;
    while (next(task)) any = true;
    log_.settle();
    if (!any) documents_.refuse_empty();
    documents_.rewind();
    last_arrival_ = {};
  }

  bool next(agents::RecordedTask& task) final {
    for (Element root; documents_.next(root);) {
      task.clear();
      if (!read_task(root, task) || !log_.accept(task, documents_.path(), documents_.place())) continue;
      if (task.arrival < last_arrival_) {
        refuse("", "a task that arrives before one that stands before it", "tasks in order of arrival");
        continue;
      }
      last_arrival_ = task.arrival;
      return true;
    }
    return false;
  }
  const agents::RecordedNames& names() const final { return names_; }
  std::vector<agents::LeftOut> left_out() const final { return log_.left_out(); }

 protected:
  using Element = JsonDocuments::Element;

  /// Fills the empty `task`, or calls `refuse` and returns false.
  virtual bool read_task(Element root, agents::RecordedTask& task) = 0;
  bool refuse(std::string_view pointer, std::string found, std::string allowed) {
    return documents_.refuse(pointer, std::move(found), std::move(allowed));
  }
  void leave_out(std::string_view what) { log_.leave_out(what); }

  agents::RecordedNames names_;

 private:
  FaultLog log_;
  JsonDocuments documents_;
  sim::Time last_arrival_;  ///< of the tasks handed out in this pass
};

}  // namespace tokenyard::traces
