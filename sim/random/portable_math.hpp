#pragma once
/// Elementary functions whose results are the same on every machine.
///
/// The C library picks variants by processor (FMA or not), and their last bits differ. These use only + - * / sqrt and
/// the bits of a double, with contraction switched off. Relative error below 1e-14 (1e-13 for `log_gamma`); about 10
/// ns.

namespace tokenyard::sim {

double portable_exp(double x);
/// x > 0.
double portable_log(double x);
/// x > 0.
double portable_pow(double x, double y);
/// ln Γ(x), x > 0: Lanczos' approximation (g = 7, nine terms; Godfrey 2001).
double log_gamma(double x);
/// The standard normal quantile, 0 < p < 1: algorithm AS 241, PPND16 (Wichura, Applied Statistics 37, 1988).
double normal_quantile(double p);

}  // namespace tokenyard::sim
