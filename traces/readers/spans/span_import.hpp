#pragma once
/// From spans to recorded tasks.
///
/// 1. What a span is: its operation name, else its OpenInference kind, else the beginning of its name; never the mere
///    presence of a `gen_ai.*` attribute, which frameworks copy onto HTTP spans. Everything else is plumbing.
/// 2. Of model spans nested in each other (no agent or tool between them) the innermost is the call; its tokens are
///    its own, else those of the nearest one around it, each count used once.
/// 3. A task is a trace; traces of one conversation are one task of several turns.
/// 4. A span whose parent is missing belongs to the shortest agent or tool span of its trace that contains it in time.
/// 5. Agents, and tools with calls in them, are branches. Within a branch a step waits for what ended before it began,
///    except what is already before that; so overlapping spans are parallel, and what follows joins them. The first
///    steps of a branch wait for what is before the branch; what follows the branch waits for its last steps.
/// 6. The gap between the latest of what a step waits for and its own beginning is the framework's own time: `other`.
///    Between turns of a conversation it is the user's: `human`. What a root span lasts longer than its steps is
///    `other`.
/// 7. A tool within a call's span is taken out of its duration, as far as it lies in it. The call's own time between
///    and after its tools is all in that duration, and no gap.
/// 8. A failed step that the same tool or model follows is a retry: its time counts as such. A failed call without
///    tokens is no call, only that time.
/// 9. A link is a dependency, where its target has ended and stands earlier in the task. So is OpenInference's
///    `graph.node.parent_id`: on the last span of that `graph.node.id` in the trace that ended before.
///
/// Prompts: spans tell lengths, not contents. A branch's prompts to one model are taken to be append-only, so each
/// shares with the one before it, and its answer, as far as the shorter reaches; one that is shorter begins anew
/// (compaction). Cached tokens, where they are recorded, tell more: branch_contexts.hpp. What tasks share with each
/// other (the role's prefix) is not known: none shares with another, which is counted.
///
/// Spans of one trace that lack their parents cost their number times that of the trace's agents and tools.
///
/// A simulated agent's call (`tokenyard.pool`) is of the model by the name of its pool, as in Tokenyard's own record.
///
/// Calls without token counts are played as waits. All that is left out is counted by reason.

#include <string>
#include <vector>

#include "traces/readers/fault_log.hpp"
#include "traces/readers/spans/span.hpp"
#include "traces/readers/task_list.hpp"

namespace tokenyard::traces {

/// `file` is for messages.
void import_spans(std::vector<Span> spans, const std::string& file, TaskList& list, FaultLog& log);

}  // namespace tokenyard::traces
