"use strict";

// A second click must not send a form twice. The mark goes away again so that a form
// whose answer is a download, or one restored by the back button, can be sent once more.
const RELEASE_AFTER_MILLISECONDS = 8000;

function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
    setTimeout(release, RELEASE_AFTER_MILLISECONDS, form);
  },
  true,
);

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest("form");
  if (form) release(form);
});

// An opened value leaves the page by itself, and at once when the page goes into the
// browser's back-forward cache, where it could be shown again without being asked for.
function close(element) {
  element.textContent = element.dataset.mask || "••••••";
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", element.dataset.maskWords || "");
  element.dir = "ltr";
  element.classList.remove("opened");
  element.classList.add("mask");
  element.removeAttribute("data-closes-after");
}

function watch(root) {
  for (const element of root.querySelectorAll("[data-closes-after]:not([data-watched])")) {
    element.dataset.watched = "1";
    setTimeout(close, Number(element.dataset.closesAfter) * 1000, element);
  }
}

addEventListener("pagehide", () => document.querySelectorAll("[data-closes-after]").forEach(close));
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
document.addEventListener("htmx:load", (event) => watch(event.target.parentElement || event.target));
watch(document);
