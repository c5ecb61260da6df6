// A form that opens under its button: focus goes into it, Escape and a click elsewhere close it again.
(() => {
  const all = (s, at = document) => [...at.querySelectorAll(s)];
  const shut = (one, back) => { if (!one.open) return; one.open = false; if (back) one.querySelector("summary").focus(); };
  all(".pop").forEach(one => {
    one.addEventListener("toggle", () => { if (!one.open) return; all(".pop[open]").forEach(other => other !== one && shut(other)); one.querySelector("input, textarea, .choice button, [data-close]")?.focus(); });
    one.addEventListener("keydown", e => { if (e.key === "Escape") { e.stopPropagation(); shut(one, true); } });
    all("[data-close]", one).forEach(button => button.addEventListener("click", () => shut(one, true)));
  });
  addEventListener("click", e => all(".pop[open]").forEach(one => { if (!one.contains(e.target)) shut(one); }));
})();
