#pragma once
/// The one place that knows which Catch2 this is (2.13 in Debian 12).
#include <catch2/catch.hpp>
