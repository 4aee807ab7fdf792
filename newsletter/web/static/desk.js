"use strict";
/* The desk without waiting. Everything works without this script; there is no other.

   <div id="today" data-refresh>                  replaced from the same address every 3 s while somebody is active, else every 60 s
   <p id="as-of" data-refresh="along">            replaced with them, where a page has any
   <form data-live="preview problems">            its button with `data-preview` replaces the elements of these ids, and leaves the page
                                                  and the focus where they are; with `data-typing` also a moment after typing

   Never replaced: what holds the focus, an open <details>, or a field that somebody changed. Never in a hidden tab. */

(() => {
  const ACTIVE = 3000, QUIET = 60000, TYPING = 700;
  let timer = 0, lastTouched = Date.now(), loading = false;

  const changed = (field) =>
    field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
      : field.tagName === "SELECT" ? [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0
        : "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue;

  const busy = (element) =>
    element.contains(document.activeElement) || element.querySelector("details[open]") || element.matches("details[open]")
    || [...element.querySelectorAll("input, select, textarea")].some(changed);

  const parsed = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

  const replace = (element, page) => {
    const fresh = element.id && page.getElementById(element.id);
    if (fresh && !fresh.isEqualNode(element)) element.replaceWith(document.adoptNode(fresh));
  };

  const refresh = async () => {
    const shown = [...document.querySelectorAll("[data-refresh]")];
    if (loading || document.hidden || shown.every(busy)) return;
    loading = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Refresh": "1" }, credentials: "same-origin" });
      // another address: the session is over, and the next click asks to sign in
      if (!answer.ok || answer.redirected) return;
      const page = await parsed(answer);
      document.title = page.title;
      for (const element of shown) if (element.isConnected && !busy(element)) replace(element, page);
    } catch {
      // the page goes on to say how old it is
    } finally {
      loading = false;
    }
  };

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => { await refresh(); later(); }, Date.now() - lastTouched < QUIET ? ACTIVE : QUIET);
  };

  if (document.querySelector('[data-refresh]:not([data-refresh="along"])')) {
    for (const kind of ["pointermove", "pointerdown", "keydown", "scroll"]) {
      addEventListener(kind, () => {
        const slept = Date.now() - lastTouched >= QUIET;
        lastTouched = Date.now();
        if (slept) later();
      }, { passive: true });
    }
    document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh().then(later); });
    later();
  }

  const preview = async (form, button) => {
    const targets = form.dataset.live.split(" ").map((id) => document.getElementById(id)).filter(Boolean);
    form.lookup?.abort();
    form.lookup = new AbortController();
    const data = new FormData(form, button);
    const post = (form.getAttribute("method") ?? "get").toLowerCase() === "post";
    const address = new URL(button.getAttribute("formaction") ?? form.getAttribute("action") ?? "", location.href);
    const focused = document.activeElement?.id;
    if (!post) address.search = new URLSearchParams(data).toString();
    targets.forEach((target) => target.setAttribute("aria-busy", "true"));
    try {
      const answer = await fetch(address, {
        method: post ? "POST" : "GET", body: post ? new URLSearchParams(data) : undefined,
        credentials: "same-origin", signal: form.lookup.signal, redirect: "error",
      });
      const page = await parsed(answer);
      if (!targets.every((target) => page.getElementById(target.id))) return false;
      targets.forEach((target) => replace(target, page));
      if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
      return true;
    } catch (error) {
      return error.name === "AbortError";
    } finally {
      targets.forEach((target) => target.removeAttribute("aria-busy"));
    }
  };

  document.addEventListener("submit", async (event) => {
    const { target: form, submitter: button } = event;
    if (!form.dataset.live || !button?.hasAttribute("data-preview")) return;
    event.preventDefault();
    // without an answer that fits, the page is asked for as it is without this script
    if (!(await preview(form, button))) {
      button.removeAttribute("data-preview");
      form.requestSubmit(button);
    }
  });

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    const button = form?.dataset.live && form.hasAttribute("data-typing") && form.querySelector("[data-preview]");
    if (!button) return;
    clearTimeout(form.typing);
    form.typing = setTimeout(() => preview(form, button), TYPING);
  });
})();
