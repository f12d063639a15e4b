/// `mpirun -n P tokenyard-mpi CAMPAIGN.json [--out DIR]`: a campaign over many nodes, into the same campaign.db.
///
/// Never links SimGrid, which exports MPI's symbols: traffic goes over the analytic network. Rank 0 reads what is done,
/// hands out one run at a time to whoever is free, itself included, and records the results; the others only compute.
/// Every rank reads the campaign for itself (the file must be visible to all of them), so a message is a run's number
/// or its result. If a rank dies, mpirun ends the job: what was recorded is kept, and the same command goes on from
/// there.

#define OMPI_SKIP_MPICXX 1
#include <CLI/CLI.hpp>
#include <deque>
#include <fmt/format.h>
#include <mpi.h>
#include <thread>

#include "analysis/campaign/local.hpp"
#include "analysis/campaign/mpi/run_server.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

enum Exit { kDone = 0, kOurBug = 1, kWrongInput = 2, kSomeFailed = 4 };
enum Tag { kHello, kRun, kResult, kEnd };

/// How long a rank sleeps between looks at its messages: MPI's own waiting would keep a core busy.
constexpr auto kNap = std::chrono::microseconds(300);

struct Arguments {
  std::string file, out;
  std::vector<std::string> catalogs;
};

/// What every rank reads before MPI starts.
struct Work {
  Campaign campaign;
  platforms::Catalog platforms;
  agents::AgentCatalog agents;
  Catalogs catalogs() const { return {platforms, agents}; }
};

Work read_work(const Arguments& arguments) {
  const std::vector<std::filesystem::path> folders(arguments.catalogs.begin(), arguments.catalogs.end());
  sim::Faults faults;
  Work work{Campaign::read(arguments.file, folders, faults), platforms::Catalog::load(faults, folders),
            agents::AgentCatalog::load(faults, folders)};
  faults.throw_if_any();
  return work;
}

std::unique_ptr<sim::Network> no_simgrid(const sim::Topology&, sim::Simulation&) {
  throw sim::InputError({"", "/network", "\"simgrid\", and bytes that move between replicas",
                         "\"analytic\": tokenyard-mpi has no other network"});
}

/// The rank of whoever waits with a message, if anyone.
std::optional<MPI_Status> waiting_message(int from) {
  int there = 0;
  MPI_Status status;
  MPI_Iprobe(from, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
  return there != 0 ? std::optional(status) : std::nullopt;
}

std::string receive(const MPI_Status& status) {
  int size = 0;
  MPI_Get_count(&status, MPI_CHAR, &size);
  std::string text(static_cast<std::size_t>(size), '\0');
  MPI_Recv(text.data(), size, MPI_CHAR, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  return text;
}

void send(int to, Tag tag, const std::string& text) {
  MPI_Send(text.data(), static_cast<int>(text.size()), MPI_CHAR, to, tag, MPI_COMM_WORLD);
}

std::string to_message(RunId run) { return fmt::format("{} {}", run.cell, run.repetition); }
RunId to_run(const std::string& message) {
  RunId run;
  std::sscanf(message.c_str(), "%zu %zu", &run.cell, &run.repetition);
  return run;
}

/// Rank 0: the agenda and the results.
class Coordinator {
 public:
  Coordinator(const Work& work, const std::filesystem::path& folder, RunServer& server)
      : work_(work), lock_(folder, {}), results_(folder / Shard{}.file(), Database::Mode::kWrite), server_(server) {
    results_.adopt(work.campaign);
    results_.add_settled(work.campaign, settled_);
    agenda_.emplace(work.campaign, settled_, Shard{});
  }

  int coordinate(int ranks) {
    int others = ranks - 1;  // that have not been sent home
    while (others > 0 || !agenda_->over()) {
      bool idle = true;
      while (const auto message = waiting_message(MPI_ANY_SOURCE)) {
        take(*message);
        idle = false;
      }
      if (server_.busy()) {
        if (const auto result = server_.poll(0)) {
          record(own_, *result);
          idle = false;
        }
      }
      while (!free_.empty()) {
        if (const auto run = agenda_->next()) {
          given_[free_.front()] = *run;
          send(free_.front(), kRun, to_message(*run));
        } else if (agenda_->over()) {
          send(free_.front(), kEnd, "");
          --others;
        } else {
          break;
        }
        free_.pop_front();
      }
      if (!server_.busy()) {
        if (const auto run = agenda_->next()) server_.start(own_ = *run);
      }
      if (idle) std::this_thread::sleep_for(kNap);
    }
    results_.close_log();
    const std::size_t failures = results_.failures();
    fmt::print("{}: {} runs now on {} ranks, {} failed. Results in {}\n{}", work_.campaign.name(), runs_, ranks,
               failures, results_.path().string(), wide_text(work_.campaign, agenda_->wide()));
    return failures > 0 ? kSomeFailed : kDone;
  }

 private:
  void take(const MPI_Status& status) {
    const std::string text = receive(status);
    if (status.MPI_TAG == kResult) {
      record(given_[status.MPI_SOURCE], RunOutcome::from_text(text));
    } else if (text != work_.campaign.definition()) {
      throw sim::InputError({"", fmt::format("rank {}", status.MPI_SOURCE), "another campaign file than rank 0",
                             "the same file on every node"});
    }
    free_.push_back(status.MPI_SOURCE);
  }
  void record(RunId run, const RunOutcome& result) {
    if (result.failure == RunFailure::kInput) throw sim::InputError(result.faults);
    results_.record(work_.campaign, run, result, TOKENYARD_VERSION);
    agenda_->settle(run, result);
    ++runs_;
  }

  const Work& work_;
  ResultLock lock_;
  Results results_;
  SettledRuns settled_;
  std::optional<Agenda> agenda_;
  RunServer& server_;
  RunId own_;
  std::map<int, RunId> given_;
  std::deque<int> free_;  ///< ranks that wait for a run
  std::size_t runs_ = 0;
};

void compute(const Work& work, RunServer& server) {
  send(0, kHello, work.campaign.definition());
  for (;;) {
    const auto message = waiting_message(0);
    if (!message) {
      std::this_thread::sleep_for(kNap);
      continue;
    }
    const std::string text = receive(*message);
    if (message->MPI_TAG == kEnd) return;
    server.start(to_run(text));
    send(0, kResult, server.poll(-1)->to_text());
  }
}

/// The message and exit code of what is thrown.
std::pair<std::string, int> explained(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const sim::InputError& input) {
    return {input.what(), kWrongInput};
  } catch (const traces::OutputError& output) {
    return {output.what(), kWrongInput};
  } catch (const std::exception& bug) {
    return {fmt::format("This is a fault of Tokenyard, not yours: {}", bug.what()), kOurBug};
  }
}

int run_rank(const Arguments& arguments) {
  std::optional<Work> work;
  std::optional<RunServer> server;
  std::exception_ptr error;
  try {
    work.emplace(read_work(arguments));
    server.emplace(work->campaign.limits(),
                   [&](RunId run) { return run_once(work->campaign, work->catalogs(), run, no_simgrid); });
  } catch (...) {
    error = std::current_exception();
  }
  MPI_Init(nullptr, nullptr);
  int rank = 0, ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  int code = kDone;
  try {
    if (error) std::rethrow_exception(error);
    const std::filesystem::path folder = arguments.out.empty()
                                             ? std::filesystem::path("results") / work->campaign.name()
                                             : std::filesystem::path(arguments.out);
    if (rank == 0) {
      check_missing(work->campaign, work->catalogs(), folder / Shard{}.file(), {}, {});
      code = Coordinator(*work, folder, *server).coordinate(ranks);
    } else {
      compute(*work, *server);
    }
    MPI_Bcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD);
  } catch (...) {
    const auto [message, exit] = explained(std::current_exception());
    if (rank == 0) fmt::print(stderr, "{}\n", message);
    std::fflush(nullptr);
    server.reset();
    MPI_Abort(MPI_COMM_WORLD, exit);
  }
  MPI_Finalize();
  return code;
}

}  // namespace
}  // namespace tokenyard::analysis

int main(int argc, char** argv) {
  using namespace tokenyard::analysis;
  Arguments arguments;
  CLI::App app{"Tokenyard: a campaign over many nodes. mpirun -n 64 tokenyard-mpi campaign.json", "tokenyard-mpi"};
  app.set_version_flag("--version", "tokenyard-mpi " TOKENYARD_VERSION);
  app.add_option("CAMPAIGN", arguments.file, "the campaign, a JSON file that every node sees")->required();
  app.add_option("--out", arguments.out, "the result folder (default: results/NAME); rank 0 writes it");
  app.add_option("--catalog", arguments.catalogs, "a folder with chips/, models/, … of your own (repeatable)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongInput;
  }
  return run_rank(arguments);
}
