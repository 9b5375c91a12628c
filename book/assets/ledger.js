/** The ledger's menus: claims by fact, kind and verdict. Without this script each chapter can still be unfolded. */
"use strict";
(() => {
  const KINDS = { live: "measured in the chapter", stored: "read from a stored study", cited: "cited, not run" };
  const VERDICTS = { holds: "holds", fails: "does not hold", unmeasured: "not measured", "not-run": "not run" };

  const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });

  function menu(name, label, any, options) {
    const box = document.createElement("div"), select = document.createElement("select");
    const told = Object.assign(document.createElement("label"), { htmlFor: `ledger-${name}`, textContent: label });
    Object.assign(select, { id: `ledger-${name}`, name });
    select.append(option("", any), ...options.map(([value, text]) => option(value, text)));
    box.append(told, select);
    return box;
  }

  function button(text, act) {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    made.addEventListener("click", act);
    return made;
  }

  /** The claims of a section and the line that folds them, where it has one. */
  function sections() {
    const found = new Map();
    for (const mark of document.querySelectorAll(".bd-article tr .claim")) {
      const section = mark.closest("section"), fold = mark.closest("details");
      if (!found.has(section)) found.set(section, { section, fold, rows: [], told: fold?.firstElementChild.textContent });
      found.get(section).rows.push({ row: mark.closest("tr"), is: mark.classList });
    }
    return [...found.values()];
  }

  function start(place) {
    const all = sections(), count = all.reduce((sum, { rows }) => sum + rows.length, 0);
    const facts = place.dataset.facts.split("|").map((name) => [name.split(".")[0], name]);
    const form = document.createElement("form"), news = document.createElement("p");
    const folds = all.filter(({ fold }) => fold).map(({ fold }) => fold);
    const unfold = (open) => () => folds.forEach((fold) => (fold.open = open));
    form.setAttribute("aria-label", "Which claims are shown");
    form.append(
      menu("fact", "Fact", "any", facts),
      menu("kind", "Kind", "any", Object.entries(KINDS)),
      menu("verdict", "Verdict", "any", Object.entries(VERDICTS)),
      button("All claims", () => { form.reset(); changed(); }),
      button("Unfold", unfold(true)),
      button("Fold", unfold(false)),
    );
    news.setAttribute("role", "status");
    place.append(form, news);
    let filtered = false;

    const asked = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value));

    function show() {
      const { fact, kind, verdict } = asked(), wanted = [fact && `fact-${fact}`, kind, verdict].filter(Boolean);
      let shown = 0;
      for (const { section, fold, rows, told } of all) {
        let here = 0;
        for (const { row, is } of rows) {
          row.hidden = !wanted.every((name) => is.contains(name));
          here += !row.hidden;
        }
        shown += here;
        section.hidden = here === 0;
        if (!fold) continue;
        if (wanted.length || filtered) fold.open = wanted.length > 0 && here > 0;
        fold.firstElementChild.textContent = wanted.length ? `${here} of ${told}` : told;
      }
      filtered = wanted.length > 0;
      news.textContent = filtered ? `${shown || "None"} of ${count} claims.` : `${count} claims.`;
    }

    function changed() {
      const state = new URLSearchParams(asked()).toString();
      history.replaceState(null, "", state ? `#${state}` : location.pathname + location.search);
      show();
    }

    /** Bring the menus to what the address says; what it does not know, they do not take. */
    function visit() {
      const said = location.hash.includes("=") ? new URLSearchParams(location.hash.slice(1)) : new URLSearchParams();
      for (const select of form.querySelectorAll("select")) {
        const value = said.get(select.name) ?? "";
        select.value = [...select.options].some((one) => one.value === value) ? value : "";
      }
      show();
    }

    form.addEventListener("change", changed);
    form.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", visit);
    visit();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const place = document.getElementById("ledger-filter");
    if (place) start(place);
  });
})();
