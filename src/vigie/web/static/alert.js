// A form that opens under its button: focus goes into it, Escape and a click elsewhere close it again.
(() => {
  const all = (s, at = document) => [...at.querySelectorAll(s)];
  const shut = (one, back) => { if (!one.open) return; one.open = false; if (back) one.querySelector("summary").focus(); };
  const open = one => {
    all(".pop[open]").forEach(other => shut(other)); one.open = true;
    one.querySelector("input, textarea, .choice button, [data-close]")?.focus();
  };
  all(".pop").forEach(one => {
    // not on "toggle", which comes a moment later: until then, what is typed would be taken for the page's keys
    one.querySelector("summary").addEventListener("click", e => { e.preventDefault(); if (one.open) shut(one); else open(one); });
    one.addEventListener("keydown", e => { if (e.key === "Escape") { e.stopPropagation(); shut(one, true); } });
    all("[data-close]", one).forEach(button => button.addEventListener("click", () => shut(one, true)));
  });
  addEventListener("click", e => all(".pop[open]").forEach(one => { if (!one.contains(e.target)) shut(one); }));
})();
