// The chart of phases: medians stacked, p95 above, what is usual dashed, a line where it changed. The table below it says the same.
(() => {
  const box = document.getElementById("plot"), read = document.getElementById("read");
  if (!box || !window.uPlot) return;
  const data = JSON.parse(box.dataset.chart), root = document.documentElement, lang = root.lang === "fr" ? "fr" : "en-GB";
  const probe = document.createElement("i"); box.append(probe);
  const colour = name => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
  const number = ms => ms < 1000 ? ms + " ms" : (ms / 1000).toLocaleString(lang, { maximumFractionDigits: 2 }) + " s";
  const long = data.x[data.x.length - 1] - data.x[0] > 2 * 86400;
  const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit" }), day = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short" });
  const when = s => long ? day.format(s * 1000) : clock.format(s * 1000);
  let chart;
  const draw = () => {
    chart?.destroy(); box.querySelector(".flag")?.remove();
    const ink = colour("ink"), soft = colour("soft"), line = colour("line"), down = colour("down-mark"), turned = colour(data.flag && data.flagDown ? "down-mark" : "degraded-mark");
    const flat = { points: { show: false }, spanGaps: false };
    const series = [{}, ...data.phases.map((_, n) => ({ ...flat, fill: colour("p" + (5 - n)), width: 0 })), { ...flat, stroke: ink, width: 1.5 }];
    const columns = [data.x, ...data.phases, data.p95];
    if (data.usual !== null) { series.push({ ...flat, stroke: ink, width: 1, dash: [3, 4] }); columns.push(data.x.map(() => data.usual)); }
    const font = "12px " + getComputedStyle(root).getPropertyValue("--sans");
    const axis = { stroke: soft, font, ticks: { show: false } };
    const marks = u => {
      const c = u.ctx, ratio = devicePixelRatio; c.save();
      c.fillStyle = down; data.failed.forEach(i => { const w = Math.max(2 * ratio, u.bbox.width / data.x.length); c.fillRect(u.valToPos(data.x[i], "x", true) - w / 2, u.bbox.top + u.bbox.height - 4 * ratio, w, 4 * ratio); });
      if (data.since !== null && data.since >= data.x[0]) { const x = Math.min(u.valToPos(data.since, "x", true), u.bbox.left + u.bbox.width); c.setLineDash([]); c.strokeStyle = turned; c.lineWidth = 1.5 * ratio; c.beginPath(); c.moveTo(x, u.bbox.top); c.lineTo(x, u.bbox.top + u.bbox.height); c.stroke(); }
      c.restore();
    };
    chart = new window.uPlot({
      width: box.clientWidth, height: box.clientHeight, padding: [8, 0, 0, 0], legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(high || 1, data.usual || 0) * 1.12] } },
      axes: [{ ...axis, grid: { show: false }, size: 26, space: 80, values: (u, at) => at.map(s => u.valToPos(s, "x") < 18 ? "" : when(s)) }, { ...axis, side: 1, size: 58, space: 44, grid: { stroke: line, width: 1 }, values: (_, at) => at.map(number) }],
      series,
      hooks: { draw: [marks], ready: [u => {
        if (data.flag && data.since !== null && data.since >= data.x[0]) {
              const flag = document.createElement("span"); flag.className = "flag " + (data.flagDown ? "down" : "degraded"); flag.textContent = data.flag.replace("{time}", clock.format(data.since * 1000)); box.append(flag);
              const room = u.over.clientWidth, x = Math.min(u.valToPos(data.since, "x"), room); flag.style.left = (x > room / 2 ? Math.max(0, x - flag.offsetWidth - 8) : x + 8) + "px";
            }
      }], setCursor: [u => {
        const i = u.cursor.idx; if (i === null || i === undefined) { read.textContent = "\u00a0"; return; }
        const at = (long ? day.format(data.x[i] * 1000) + " " : "") + clock.format(data.x[i] * 1000), parts = data.names.map((name, n) => {
          const top = data.phases[n][i], under = data.phases[n + 1]?.[i] ?? 0; return top === null || top === under ? "" : name + " " + number(top - under); }).filter(Boolean);
        read.textContent = [at, data.p95[i] === null ? "" : "p95 " + number(data.p95[i]), ...parts].filter(Boolean).join(" · ");
      }] },
    }, columns, box);
  };
  draw();
  let wait; new ResizeObserver(() => { clearTimeout(wait); wait = setTimeout(() => { if (chart.width !== box.clientWidth) draw(); }, 60); }).observe(box);
  new MutationObserver(draw).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
