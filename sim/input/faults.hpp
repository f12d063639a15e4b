#pragma once
/// The user's faults, collected so that all are reported at once.
///
/// Each says where (file, and a JSON pointer or a line), what was found, and what is allowed. Whoever reads input adds
/// faults and goes on; whoever needs the input calls `throw_if_any()`.
///
///   faults.add(path, "/pools/0/replicas", "-1", "an integer of at least 1");
///   faults.throw_if_any();

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard::sim {

struct Fault {
  std::string file;   ///< empty for a command-line argument
  std::string place;  ///< JSON pointer ("/pools/0/chip"), "line 17", or a flag ("--seed")
  std::string found;
  std::string allowed;  ///< the remedy: what may stand there, with the nearest valid name where there is one

  /// "scenario.json: /pools/0/chip: found "h100", allowed: a chip of the catalogue (did you mean "h100-sxm"?)"
  std::string message() const;
};

class Faults {
 public:
  void add(std::string file, std::string place, std::string found, std::string allowed);
  void add(const std::vector<Fault>& faults) { list_.insert(list_.end(), faults.begin(), faults.end()); }
  bool empty() const { return list_.empty(); }
  std::size_t size() const { return list_.size(); }
  const std::vector<Fault>& list() const { return list_; }
  /// Throws InputError with everything collected so far, if anything was.
  void throw_if_any() const;

 private:
  std::vector<Fault> list_;
};

/// The user's input is wrong: exit code 2.
class InputError : public std::exception {
 public:
  explicit InputError(std::vector<Fault> faults);
  explicit InputError(Fault fault) : InputError(std::vector<Fault>{std::move(fault)}) {}
  const std::vector<Fault>& faults() const { return faults_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::vector<Fault> faults_;
  std::string what_;
};

/// The input is well formed but nothing can satisfy it (a model that does not fit its chips): exit code 3.
class Infeasible : public std::exception {
 public:
  /// `place`: of the scenario, a JSON pointer; empty: no one place is to blame.
  explicit Infeasible(std::string reason, std::string place = {})
      : place_(std::move(place)), what_(place_.empty() ? std::move(reason) : place_ + ": " + reason) {}
  const std::string& place() const { return place_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string place_, what_;
};

/// The candidate nearest to `name` by edit distance, or empty when none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);
/// " (did you mean "h100-sxm"?)", or empty.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace tokenyard::sim
