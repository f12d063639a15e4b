// Values under the pointer, and the arrow keys to walk along a chart. The page is complete without this script.
"use strict";
const { summary, charts } = JSON.parse(document.getElementById("data").textContent);

const digits = (value) => String(Number(value.toPrecision(3)));
const scaled = (value, steps) => {
  const [size, unit] = steps.find(([from]) => value >= from) ?? steps[steps.length - 1];
  return digits(value / size) + (unit && "\u00a0" + unit);
};
const kSeconds = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
const kCounts = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"], [1, ""]].map(([size, unit]) => (size === 1e4 ? [1e3, unit] : [size, unit]));
const text = (value, unit) => {
  if (unit === "seconds") return value === 0 ? "0\u00a0s" : scaled(value, kSeconds);
  if (unit === "share") return digits(value * 100) + "\u00a0%";
  if (value < 1) return digits(value) + ({ per_s: "/s", watts: "\u00a0W" }[unit] ?? "");
  if (unit === "watts") return scaled(value, kCounts).replace(/(\u00a0?)([kMGT]?)$/, (_, gap, scale) => "\u00a0" + scale + "W");
  return scaled(value, kCounts) + (unit === "per_s" ? "/s" : "");
};

const part = (axis, value) =>
  axis.log ? Math.log(value / axis.from) / Math.log(axis.to / axis.from) : (value - axis.from) / (axis.to - axis.from);
const nearest = (line, axis, at) => {
  let best = 0;
  for (let i = 1; i < line.x.length; ++i) if (Math.abs(part(axis, line.x[i]) - at) <= Math.abs(part(axis, line.x[best]) - at)) best = i;
  return best;
};

for (const plot of document.querySelectorAll(".plot")) {
  const chart = charts[plot.dataset.chart];
  if (!chart) continue;
  const cursor = Object.assign(document.createElement("div"), { className: "cursor", hidden: true });
  const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
  plot.append(cursor, tip);
  let at = 0.5;
  const show = (share) => {
    at = Math.min(1, Math.max(0, share));
    const distribution = chart.y.unit === "share" && chart.x.log !== undefined && plot.dataset.chart.startsWith("cdf-");
    tip.replaceChildren();
    chart.lines.forEach((line, order) => {
      if (line.x.length === 0) return;
      const i = nearest(line, chart.x, at);
      if (order === 0) cursor.style.left = 100 * part(chart.x, line.x[i]) + "%";
      if (order === 0 && !distribution) tip.append(text(line.x[i], chart.x.unit));
      const row = document.createElement("div");
      const swatch = Object.assign(document.createElement("i"), { className: "l" + line.color });
      const value = text(line.y[i], chart.y.unit);
      row.append(swatch, distribution ? `${line.name}: ${value} within ${text(line.x[i], chart.x.unit)}` : `${line.name}: ${value}`);
      tip.append(row);
    });
    tip.style.left = at < 0.5 ? `calc(${100 * at}% + 12px)` : "auto";
    tip.style.right = at < 0.5 ? "auto" : `calc(${100 - 100 * at}% + 12px)`;
    cursor.hidden = tip.hidden = false;
  };
  const hide = () => (cursor.hidden = tip.hidden = true);
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    show((event.clientX - box.left) / box.width);
  });
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (step) show(at + step), event.preventDefault();
    if (event.key === "Escape") hide();
  });
}

const save = document.getElementById("save");
save.hidden = false;
save.addEventListener("click", () => {
  const url = URL.createObjectURL(new Blob([JSON.stringify(summary, null, 2)], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href: url, download: "summary.json" }).click();
  URL.revokeObjectURL(url);
});
