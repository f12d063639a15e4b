#pragma once
/// The measured systems that validation runs against, one function each. Every function returns nothing where its data
/// are absent.

#include <filesystem>
#include <optional>

#include "analysis/validate/report.hpp"
#include "platforms/spec/catalog.hpp"

namespace tokenyard::analysis {

/// Kernel tables: the catalogue's figures, as they stand, on the tables of their chips.
std::vector<ValidationTable> validate_kernels(const std::filesystem::path& data, const platforms::Catalog& catalog);

/// Request by request: vLLM 0.19 on RTX PRO 6000, with the kernel profile beside the run and from the chip's entry
/// alone.
std::vector<ValidationTable> validate_vllm_runs(const std::filesystem::path& data, const platforms::Catalog& catalog);

/// TTFT and TPOT of some thousand serving points, by engine and model; `fit`: fit the engines' host times to the first
/// half of each engine's dense points (minutes) in place of the catalogue's; `rows`: a CSV file of every point, if not
/// empty.
std::vector<ValidationTable> validate_serving_points(const std::filesystem::path& data,
                                                     const platforms::Catalog& catalog, bool fit,
                                                     const std::filesystem::path& rows = {});

/// Serving points that others published, of many chips; `points`: the list of them, of this project.
std::vector<ValidationTable> validate_published_serving(const std::filesystem::path& points,
                                                        const platforms::Catalog& catalog);

/// Steps of whole decoders on GPUs, and their watts; `cards`: a folder of this project, with one for each card.
std::vector<ValidationTable> validate_gpu_steps(const std::filesystem::path& cards, const platforms::Catalog& catalog);

/// A peer simulator's run, with its step times (the schedulers compared alone) and with ours (vidur_tables.hpp).
std::vector<ValidationTable> validate_vidur_run(const std::filesystem::path& data, const platforms::Catalog& catalog);

/// Users who replay agentic sessions on DeepSeek-R1, 4 B200s, with and without KV in host memory
/// (agentic_sessions.hpp).
std::vector<ValidationTable> validate_agentic_sweep(const std::filesystem::path& data,
                                                    const platforms::Catalog& catalog);

/// Watts, joules per token and inter-token latency of serving; watts of long products in a loop.
std::vector<ValidationTable> validate_energy(const std::filesystem::path& data, const platforms::Catalog& catalog);

/// Serving on chips without kernel data: the error, and whether the chip's band covers it.
std::vector<ValidationTable> validate_extrapolation(const std::filesystem::path& data,
                                                    const platforms::Catalog& catalog);
/// The chips without kernel data, with the uncertainty that their runs carry.
ValidationTable extrapolated_chips(const platforms::Catalog& catalog);

}  // namespace tokenyard::analysis
