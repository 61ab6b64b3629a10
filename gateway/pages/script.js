// Saves attendance as one goes, searches it, and keeps the wall fresh. Every page works without it.
"use strict";
const roll = document.querySelector("form[data-save]");
if (roll) {
  const saved = roll.querySelector("#saved"), waiting = new Set();
  let isBusy = false, timer = 0;
  const tick = (id) => roll.querySelector(`[value="${id}"]`).checked;
  const save = async () => {
    clearTimeout(timer);
    if (isBusy || !waiting.size) return;
    isBusy = true;
    saved.textContent = roll.dataset.saving;
    const sent = new Map([...waiting].map((id) => [id, tick(id)]));
    const body = new URLSearchParams({ part: "saved", form_token: roll.elements.form_token.value });
    if ("all" in roll.dataset) body.set("ticked", roll.querySelectorAll(":checked").length);
    for (const [id, isThere] of sent) body.append(isThere ? "there" : "gone", id);
    try {
      const answer = await fetch(roll.action, { method: "POST", body, redirect: "error" });
      if (!answer.ok) throw answer.status;
      saved.innerHTML = await answer.text();
      for (const [id, isThere] of sent) if (tick(id) === isThere) waiting.delete(id);
      isBusy = false;
      save();
    } catch {
      isBusy = false;
      saved.textContent = roll.dataset.unsaved;
      timer = setTimeout(save, 4000);
    }
    for (const each of roll.querySelectorAll(".tick")) each.toggleAttribute("data-waiting", waiting.has(each.control.value));
  };
  roll.addEventListener("change", (event) => {
    waiting.add(event.target.value);
    event.target.parentElement.toggleAttribute("data-waiting", true);
    save();
  });
  roll.addEventListener("submit", (event) => { event.preventDefault(); save(); });
  addEventListener("beforeunload", (event) => { if (waiting.size) event.preventDefault(); });
  roll.toggleAttribute("data-live", true);
}
const search = document.querySelector("input[data-filter]");
if (search) {
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  search.addEventListener("input", () => {
    const words = plain(search.value).split(/\s+/);
    for (const row of document.querySelectorAll(".people li")) row.hidden = !words.every((word) => plain(row.textContent).includes(word));
  });
  search.form.addEventListener("submit", (event) => event.preventDefault());
}
const wall = document.querySelector("[data-refresh]");
if (wall) setInterval(async () => {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  const fresh = answer && answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-refresh]");
  if (fresh && fresh.innerHTML !== wall.innerHTML) wall.innerHTML = fresh.innerHTML;
}, wall.dataset.refresh * 1000);
