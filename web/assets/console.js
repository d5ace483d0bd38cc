// The keys of the console. Each is off while somebody types, and all of one letter can be switched off (WCAG 2.1.4).
"use strict";
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.documentElement.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  paint();
  dark.addEventListener("change", paint);
  // Paper is white.
  window.addEventListener("beforeprint", () => document.documentElement.setAttribute("data-bs-theme", "light"));
  window.addEventListener("afterprint", paint);

  const OFF = "duly-keys-off";
  let row = -1, goes = false;
  const rows = () => [...document.querySelectorAll("table.rows tbody tr")];
  const first = (query) => document.querySelector(query);

  // The row is that of the focus, wherever that came by: by these keys, or by Tab.
  function here() {
    const at = rows().indexOf(document.activeElement?.closest("tr"));
    if (at >= 0) { rows()[row]?.classList.remove("at"); row = at; }
    return rows()[row];
  }

  function move(step) {
    const all = rows();
    if (!all.length) return;
    here();
    all[row]?.classList.remove("at");
    row = Math.min(Math.max(row + step, 0), all.length - 1);
    all[row].classList.add("at");
    all[row].scrollIntoView({block: "nearest"});
    all[row].querySelector("a")?.focus({preventScroll: true});
  }

  const keys = {
    "/": () => first("#search")?.focus(),
    "?": () => first("#keys")?.showModal(),
    j: () => move(1),
    k: () => move(-1),
    x: () => here()?.querySelector("td.pick input")?.click(),
    n: () => first("[data-new]")?.click(),
    "[": () => first("[rel=prev]")?.click(),
    "]": () => first("[rel=next]")?.click(),
    g: () => { goes = true; setTimeout(() => { goes = false; }, 1500); },
  };

  // Rows that are chosen are counted; the link that chooses all does so in place.
  const boxes = () => [...document.querySelectorAll("td.pick input")];
  function count() {
    const shown = first("[data-picked]"), many = boxes().filter((one) => one.checked).length;
    if (shown) shown.textContent = many ? `${many} chosen` : "";
  }
  document.addEventListener("change", (event) => { if (event.target.closest("td.pick")) count(); });
  document.addEventListener("DOMContentLoaded", count);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-pick-all]")) return;
    event.preventDefault();
    const all = boxes(), every = all.every((one) => one.checked);
    all.forEach((one) => { one.checked = !every; });
    count();
  });

  // Escape closes the user's menu, and gives the focus back to what has opened it.
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" ? first("details.menu[open]") : null;
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(OFF)) return;
    if (first("dialog[open]")) return;
    if (goes) {
      goes = false;
      const page = first(`[data-go="${CSS.escape(event.key)}"]`);
      if (page) { event.preventDefault(); page.click(); }
      return;
    }
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (act) { event.preventDefault(); act(); }
  });

  // Whoever clicks twice, or presses Enter twice, sends once: the answer to the first is the one that is shown.
  let sentAt = -Infinity;
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (event.timeStamp - sentAt < 2000) event.preventDefault();
    else sentAt = event.timeStamp;
  });

  // A file that is too large says so before it is sent: a browser that is refused meanwhile shows no answer.
  document.addEventListener("change", (event) => {
    const most = Number(event.target.dataset?.bytesMax);
    if (!most) return;
    const large = [...event.target.files].some((one) => one.size > most);
    const limit = `${Math.floor(most / 1048576)} MB`;
    event.target.setCustomValidity(large ? `This file is larger than ${limit}: import it by the command line.` : "");
    event.target.reportValidity();
  });

  document.addEventListener("DOMContentLoaded", () => {
    const off = first("#keys-off");
    if (!off) return;
    off.checked = Boolean(localStorage.getItem(OFF));
    off.addEventListener("change", () => off.checked ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF));
  });
})();
