// Draws each chart from the table of its figure. The table stays: it is what is read aloud, copied and printed, and all
// there is without this script. Numbers are those of `data-value`, their texts those of the cells.
"use strict";
(() => {
  if (!window.Chart) return;
  const drawn = new Map();
  const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3]];
  const POINTS = ["circle", "rect", "triangle", "rectRot", "crossRot", "star"];
  Chart.defaults.animation = false;
  Chart.defaults.font.size = 12;

  function numbersOf(figure) {
    const table = figure.querySelector("table");
    const series = [...table.tHead.rows[0].cells].slice(1).map((head) => ({name: head.textContent, tone: head.dataset.tone}));
    const rows = [...table.tBodies[0].rows].map((row) => ({
      name: row.cells[0].textContent,
      cells: [...row.cells].slice(1).map((cell) => ({
        value: cell.dataset.value === "" ? null : Number(cell.dataset.value), text: cell.textContent,
      })),
    }));
    return {series, rows};
  }

  const styleOf = (figure) => {
    const style = getComputedStyle(figure);
    return (name) => style.getPropertyValue(name).trim();
  };

  function datasetsOf(figure, numbers) {
    const style = styleOf(figure), isLines = figure.dataset.chart === "lines";
    return numbers.series.map((one, place) => {
      const colour = style(`--chart-${one.tone || place % 6 + 1}`);
      const data = numbers.rows.map((row) => row.cells[place].value);
      if (isLines) {
        const dash = DASHES[place % 6], point = POINTS[place % 6];
        return {
          label: one.name, data, borderColor: colour, backgroundColor: colour, borderWidth: 2, borderDash: dash,
          pointStyle: point, pointRadius: 3, pointHitRadius: 12, clip: false,
          // The later, which is dashed, lies on top: both are seen where they are the same.
          order: numbers.series.length - place,
        };
      }
      const below = numbers.series.length === 1 ? style("--chart-bad") : colour;
      return {
        label: one.name, data, backgroundColor: data.map((value) => value < 0 ? below : colour),
        borderColor: style("--bs-body-bg"), borderWidth: "stacked" in figure.dataset ? 1 : 0, maxBarThickness: 44,
      };
    });
  }

  // As many decimals as the numbers have, and none where no mark of the axis needs them.
  function marks(figure) {
    const decimals = Number(figure.dataset.decimals), unit = figure.dataset.unit === "%" ? " %" : "";
    return (value, _, all) => {
      const least = all.every((one) => Number.isInteger(one.value)) ? 0 : decimals;
      return value.toLocaleString("en", {minimumFractionDigits: least, maximumFractionDigits: decimals}) + unit;
    };
  }

  // A group of two columns has two lines.
  const linesOf = (name) => name.split(", ");

  function scalesOf(figure, numbers) {
    const style = styleOf(figure), ink = style("--bs-secondary-color"), light = style("--chart-grid"), zero = style("--chart-zero");
    const kind = figure.dataset.chart, isStacked = "stacked" in figure.dataset, isPercent = figure.dataset.unit === "%";
    const values = numbers.rows.flatMap((row) => row.cells.map((cell) => cell.value ?? 0)), most = Math.max(...values);
    const isNothing = values.every((one) => one === 0);
    const value = {
      stacked: isStacked, beginAtZero: kind !== "lines" || !isPercent,
      min: isNothing ? 0 : undefined, max: isNothing ? 1 : isPercent && most > 90 && most <= 100 ? 100 : undefined,
      border: {display: false},
      ticks: {
        color: ink, callback: marks(figure), precision: Number(figure.dataset.decimals), maxRotation: 0, autoSkipPadding: 10,
        maxTicksLimit: isNothing ? 2 : 7,
      },
      grid: {color: (mark) => mark.tick?.value === 0 ? zero : light},
    };
    const names = numbers.rows.map((row) => row.name);
    const characters = Math.floor(figure.clientWidth * 0.4 / 7);
    const short = (part) => part.length > characters ? `${part.slice(0, characters - 1)}…` : part;
    const groups = {
      stacked: isStacked, grid: {display: false}, border: {display: false},
      ticks: {
        color: ink, maxRotation: 0, autoSkip: !names.some((name) => name.includes(" ")), autoSkipPadding: 8,
        callback: (_, place) => names[place].replace(" ", "\n").split("\n"),
      },
    };
    if (kind !== "bars") return {x: groups, y: value};
    groups.ticks = {color: ink, autoSkip: false, callback: (_, place) => linesOf(names[place]).map(short)};
    // As wide as its longest line: of two axes the library gives each a quarter of the chart at most.
    groups.afterFit = (axis) => {
      axis.ctx.font = `${Chart.defaults.font.size}px ${Chart.defaults.font.family}`;
      const lines = names.flatMap((name) => linesOf(name).map(short));
      axis.width = Math.max(...lines.map((one) => axis.ctx.measureText(one).width)) + 12;
    };
    const scales = {x: value, y: groups};
    // The figures stand at the end of their bars' lines, as labels of a second axis: marks would say less.
    if (numbers.series.length === 1) {
      Object.assign(value, {min: Math.min(0, ...values), max: isNothing ? 1 : Math.max(0, most)});
      value.ticks.display = false;
      value.afterBuildTicks = (axis) => { axis.ticks = [{value: 0}]; };
      scales.figures = {
        type: "category", axis: "y", position: "right", offset: true, labels: numbers.rows.map((row) => row.cells[0].text),
        grid: {display: false}, border: {display: false}, ticks: {color: ink, autoSkip: false},
      };
    }
    return scales;
  }

  function configOf(figure, numbers) {
    const kind = figure.dataset.chart, style = styleOf(figure);
    return {
      type: kind === "lines" ? "line" : "bar",
      data: {labels: numbers.rows.map((row) => row.name), datasets: datasetsOf(figure, numbers)},
      options: {
        indexAxis: kind === "bars" ? "y" : "x", maintainAspectRatio: false, scales: scalesOf(figure, numbers),
        interaction: {mode: "index", axis: kind === "bars" ? "y" : "x", intersect: false},
        plugins: {
          legend: {
            display: numbers.series.length > 1, position: "top", align: "start",
            labels: {
              color: style("--bs-body-color"), boxWidth: 12, boxHeight: kind === "lines" ? 6 : 12, usePointStyle: kind === "lines",
              sort: (one, other) => one.datasetIndex - other.datasetIndex,
            },
          },
          tooltip: {callbacks: {
            title: (items) => numbers.rows[items[0].dataIndex].name,
            label: (item) => `${item.dataset.label}: ${numbers.rows[item.dataIndex].cells[item.datasetIndex].text}`,
          }},
        },
      },
    };
  }

  function draw(figure) {
    if (drawn.has(figure)) return;
    // A page that comes back out of a history may have the canvas of before, which is blank.
    figure.querySelector(".canvas")?.remove();
    const numbers = numbersOf(figure);
    if (!numbers.rows.length) return;
    const frame = document.createElement("div"), canvas = document.createElement("canvas");
    frame.className = "canvas";
    if (figure.dataset.chart === "bars") {
      const hasTwoLines = numbers.rows.some((row) => linesOf(row.name).length > 1);
      const isBeside = numbers.series.length > 1 && !("stacked" in figure.dataset);
      frame.style.height = `${numbers.rows.length * (hasTwoLines || isBeside ? 36 : 24) + (numbers.series.length > 1 ? 90 : 40)}px`;
    }
    canvas.setAttribute("aria-hidden", "true");
    frame.append(canvas);
    figure.querySelector("figcaption").after(frame);
    Chart.defaults.font.family = getComputedStyle(figure).fontFamily;
    drawn.set(figure, new Chart(canvas, configOf(figure, numbers)));
    figure.querySelector("details.numbers").open = false;
  }

  function repaint() {
    for (const [figure, chart] of drawn) {
      const {data, options} = configOf(figure, numbersOf(figure));
      chart.data = data;
      chart.options = options;
      chart.resize();
      chart.update("none");
    }
  }

  function every() {
    for (const [figure, chart] of drawn) {
      if (figure.isConnected) continue;
      chart.destroy();
      drawn.delete(figure);
    }
    document.querySelectorAll("figure.chart").forEach(draw);
  }

  // Parts of a page come later, and may come again.
  every();
  new MutationObserver(every).observe(document.body, {childList: true, subtree: true});
  new MutationObserver(repaint).observe(document.documentElement, {attributeFilter: ["data-bs-theme"]});

  // On paper the numbers stand below their charts.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.numbers:not([open])")];
    opened.forEach((one) => { one.open = true; });
    repaint();
  });
  window.addEventListener("afterprint", () => {
    opened.forEach((one) => { one.open = false; });
    repaint();
  });
})();
