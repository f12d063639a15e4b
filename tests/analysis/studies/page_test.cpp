#include "analysis/studies/page.hpp"

#include "tests/analysis/scenario/test_catalogs.hpp"
#include "tests/analysis/studies/small_study.hpp"
#include "tests/support/html.hpp"

namespace tokenyard::analysis {
using sim::Json;

TEST_CASE("Studies: a page is well formed, self-contained, and holds the answer") {
  const Findings findings = evaluate(read_study(small()), TestCatalogs::get().view(), {});
  Json with_markup = small();
  with_markup["title"] = with_markup["cases"]["few"]["title"] = "<b>&";
  const Findings odd = evaluate(read_study(with_markup), TestCatalogs::get().view(), {.vary = false});
  for (const std::string& page :
       {studies_page({findings}, "tokenyard study small"), studies_page({findings, odd}, "x")}) {
    CHECK(well_formed(page));
    CHECK(page.find("src=\"http") == std::string::npos);
    CHECK(page.find("Cheap: $12.00, $2.00.") != std::string::npos);
    CHECK(page.find("<b>&") == std::string::npos);
    CHECK(page.find("&amp;amp;") == std::string::npos);
  }
}

}  // namespace tokenyard::analysis
