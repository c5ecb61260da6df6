// Forms: a field with a fault is marked as such, the YAML is copied, what cannot be undone is asked. Each page works without it.
(() => {
  const all = (s, at = document) => [...at.querySelectorAll(s)];
  const mark = () => all("[data-fault]").forEach(field => {
    const said = document.getElementById(field.dataset.fault), bad = !!said && said.textContent.trim() !== "";
    field.toggleAttribute("aria-invalid", false);
    if (bad) { field.setAttribute("aria-invalid", "true"); field.setAttribute("aria-describedby", said.id); const fold = field.closest("details"); if (fold && document.activeElement !== field) fold.open = true; }
    else { field.removeAttribute("aria-invalid"); field.dataset.about ? field.setAttribute("aria-describedby", field.dataset.about) : field.removeAttribute("aria-describedby"); }
  });
  addEventListener("htmx:afterSettle", mark); addEventListener("htmx:oobAfterSwap", mark);
  document.addEventListener("click", event => {
    const copy = event.target.closest("[data-copy]");
    if (copy) { const from = document.getElementById(copy.dataset.copy); navigator.clipboard?.writeText(from.textContent).then(() => { copy.textContent = copy.dataset.copied; }); }
    const sure = event.target.closest("button[data-confirm]");
    if (sure && !sure.closest("form").hasAttribute("hx-post") && !confirm(sure.dataset.confirm)) event.preventDefault();
  });
})();
