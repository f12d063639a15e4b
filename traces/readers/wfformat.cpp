/// The format `wfformat`: a WfCommons workflow (WfFormat 1.5) as one task.
///
/// A workflow's task is a step of its recorded run time (`workflow.execution.tasks[].runtimeInSeconds`), named by its
/// name and begun when its parents are done. Machines are not modeled: as many steps run side by side as dependencies
/// allow. Files are not moved; they are counted as left out.

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "sim/input/json_reader.hpp"
#include "traces/readers/fault_log.hpp"
#include "traces/readers/near_keys.hpp"
#include "traces/readers/task_formats.hpp"
#include "traces/readers/task_list.hpp"
#include "traces/readers/unpacked_file.hpp"

namespace tokenyard::traces {
namespace {

using agents::RecordedStep;
using agents::RecordedTask;
using agents::StepKind;
using sim::Json;

class Workflow {
 public:
  Workflow(const std::string& path, const TaskOptions& options) : path_(path), log_(options.skip_faulty) {}

  std::unique_ptr<agents::RecordedTaskSource> read() {
    sim::Faults faults;
    const sim::JsonFile file = sim::JsonFile::parse(read_unpacked(path_), path_, faults);
    faults.throw_if_any();
    read_workflow(file.value(), faults);
    faults.throw_if_any();  // a workflow is one task: nothing of it can be left out
    auto list = std::make_unique<TaskList>();
    build(*list);
    list->finish(log_, path_, "a workflow");
    return list;
  }

 private:
  struct Node {
    std::string name, id;
    double runtime_s = -1;
    std::vector<std::string> parents, children;
  };

  void read_workflow(const Json& root, sim::Faults& faults) {
    if (!root.is_object() || !root.contains("schemaVersion") || root["schemaVersion"] != "1.5") {
      const bool given = root.is_object() && root.contains("schemaVersion");
      faults.add(path_, "/schemaVersion", given ? sim::shown(root["schemaVersion"]) : "nothing", "\"1.5\"");
      return;
    }
    const Json* workflow = object(root, "", "workflow", faults);
    if (workflow == nullptr) return;
    const Json* specification = object(*workflow, "/workflow", "specification", faults);
    const Json* execution = object(*workflow, "/workflow", "execution", faults);
    if (specification == nullptr || execution == nullptr) return;
    const Json* tasks = array(*specification, "/workflow/specification", "tasks", faults);
    const Json* runs = array(*execution, "/workflow/execution", "tasks", faults);
    if (tasks == nullptr || runs == nullptr) return;
    for (std::size_t i = 0; i < tasks->size(); ++i)
      read_task((*tasks)[i], fmt::format("/workflow/specification/tasks/{}", i), faults);
    for (std::size_t i = 0; i < runs->size(); ++i)
      read_run((*runs)[i], fmt::format("/workflow/execution/tasks/{}", i), faults);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::string pointer = fmt::format("/workflow/specification/tasks/{}", i);
      if (nodes_[i].runtime_s < 0) {
        faults.add(path_, pointer + "/id", fmt::format("\"{}\" without a run time", nodes_[i].id),
                   "a task of the same id under /workflow/execution/tasks with runtimeInSeconds");
      }
      link(nodes_[i].parents, i, pointer + "/parents", true, faults);
      link(nodes_[i].children, i, pointer + "/children", false, faults);
    }
    if (const auto files = specification->find("files"); files != specification->end() && files->is_array()) {
      log_.leave_out("files, whose transfers are not played", files->size());
    }
    if (nodes_.empty()) faults.add(path_, "/workflow/specification/tasks", "no request", "at least one task");
  }

  const Json* object(const Json& parent, const std::string& pointer, const char* key, sim::Faults& faults) const {
    const auto found = parent.find(key);
    if (found != parent.end() && found->is_object()) return &*found;
    faults.add(path_, pointer + "/" + key, "no object", "an object, as WfFormat 1.5 has it");
    return nullptr;
  }
  const Json* array(const Json& parent, const std::string& pointer, const char* key, sim::Faults& faults) const {
    const auto found = parent.find(key);
    if (found != parent.end() && found->is_array()) return &*found;
    faults.add(path_, pointer + "/" + key, "no array", "an array of tasks");
    return nullptr;
  }

  void read_task(const Json& task, const std::string& pointer, sim::Faults& faults) {
    Node node;
    if (!task.is_object() || !task.contains("id") || !task["id"].is_string()) {
      faults.add(path_, pointer + "/id", "no text", "the task's id");
      nodes_.emplace_back();
      return;
    }
    node.id = task["id"].get<std::string>();
    node.name = task.contains("name") && task["name"].is_string() ? task["name"].get<std::string>() : node.id;
    read_ids(task, pointer, "parents", node.parents, faults);
    read_ids(task, pointer, "children", node.children, faults);
    if (!index_.try_emplace(node.id, nodes_.size()).second) {
      faults.add(path_, pointer + "/id", fmt::format("\"{}\" again", node.id), "an id of its own for each task");
    }
    nodes_.push_back(std::move(node));
  }

  /// None if the key is absent; else those before the first that is no text.
  void read_ids(const Json& task, const std::string& pointer, const char* key, std::vector<std::string>& ids,
                sim::Faults& faults) const {
    const auto found = task.find(key);
    if (found == task.end()) {
      for (const auto& [other, value] : task.items()) {
        if (!mistyped(other, key)) continue;
        faults.add(path_, fmt::format("{}/{}", pointer, other), "an unknown key", allowed_instead_of(key));
      }
    } else if (!found->is_array()) {
      faults.add(path_, fmt::format("{}/{}", pointer, key), sim::shown(*found), "an array of ids");
    } else {
      for (std::size_t i = 0; i < found->size(); ++i) {
        const Json& id = (*found)[i];
        if (!id.is_string()) {
          faults.add(path_, fmt::format("{}/{}/{}", pointer, key, i), sim::shown(id), "the id of a task of this file");
          return;
        }
        ids.push_back(id.get<std::string>());
      }
    }
  }

  void read_run(const Json& run, const std::string& pointer, sim::Faults& faults) {
    const auto id = run.is_object() ? run.find("id") : run.end();
    const auto node =
        run.is_object() && id != run.end() && id->is_string() ? index_.find(id->get<std::string>()) : index_.end();
    if (node == index_.end()) {
      faults.add(path_, pointer + "/id", run.is_object() && id != run.end() ? sim::shown(*id) : "nothing",
                 "the id of a task of /workflow/specification/tasks");
      return;
    }
    if (nodes_[node->second].runtime_s >= 0) {
      faults.add(path_, pointer + "/id", sim::shown(*id) + " again", "one run of each task");
      return;
    }
    const auto runtime = run.find("runtimeInSeconds");
    if (runtime == run.end() || !runtime->is_number() ||
        !(runtime->get<double>() >= 0 && runtime->get<double>() < 9e9)) {
      faults.add(path_, pointer + "/runtimeInSeconds", runtime == run.end() ? "nothing" : sim::shown(*runtime),
                 "seconds from 0 to 9e9");
      nodes_[node->second].runtime_s = 0;
      return;
    }
    nodes_[node->second].runtime_s = runtime->get<double>();
  }

  void link(const std::vector<std::string>& names, std::size_t i, const std::string& pointer, bool parents,
            sim::Faults& faults) {
    before_.resize(nodes_.size());
    for (std::size_t n = 0; n < names.size(); ++n) {
      const auto other = index_.find(names[n]);
      if (other == index_.end()) {
        faults.add(path_, fmt::format("{}/{}", pointer, n), '"' + names[n] + '"', "the id of a task of this file");
        continue;
      }
      const std::size_t child = parents ? i : other->second, parent = parents ? other->second : i;
      if (links_.insert(std::uint64_t{child} << 32 | parent).second)
        before_[child].push_back(static_cast<std::uint32_t>(parent));
    }
  }

  void build(TaskList& list) {
    const std::vector<std::uint32_t> order = topological_order(before_);
    if (order.size() < nodes_.size()) {
      const std::vector<std::uint32_t> cycle = find_cycle(before_, order);
      std::string text;
      for (const std::uint32_t i : cycle) text += fmt::format("\"{}\" after ", nodes_[i].id);
      throw sim::InputError({path_, fmt::format("/workflow/specification/tasks/{}", cycle[0]),
                             text + fmt::format("\"{}\"", nodes_[cycle[0]].id), "tasks without a cycle"});
    }
    RecordedTask task;
    task.agent = list.all_names.agent("workflow");
    std::vector<std::uint32_t> step_of(nodes_.size());
    for (const std::uint32_t i : order) {
      RecordedStep& step = task.steps.emplace_back();
      step.kind = StepKind::kTool;
      step.cause = platforms::Cause::kTool;
      step.node = list.all_names.node(task.agent, StepKind::kTool, nodes_[i].name);
      step.duration = sim::Time::seconds(nodes_[i].runtime_s);
      step_of[i] = static_cast<std::uint32_t>(task.steps.size() - 1);
      std::vector<std::uint32_t> parents = before_[i];
      std::sort(parents.begin(), parents.end());
      for (const std::uint32_t parent : parents)
        task.depend({step_of[parent], agents::Trigger::kCompletion, platforms::Cause::kOther, {}});
    }
    if (log_.accept(task, path_, "/workflow")) list.tasks.push_back(std::move(task));
  }

  std::string path_;
  FaultLog log_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<std::vector<std::uint32_t>> before_;
  std::unordered_set<std::uint64_t> links_;  ///< child and parent: most are told from both ends
};

}  // namespace

std::unique_ptr<agents::RecordedTaskSource> open_wfformat(const std::string& path, const TaskOptions& options) {
  return Workflow(path, options).read();
}

}  // namespace tokenyard::traces
