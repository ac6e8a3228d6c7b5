// Printed pages show the outcomes that are folded on the screen; cards and code stay as they are.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details.folded:not(.above-input):not([open])")];
  for (const each of opened) each.open = true;
});
addEventListener("afterprint", () => { for (const each of opened) each.open = false; });
addEventListener("DOMContentLoaded", () => {
  // The theme's search buttons say "Search Ctrl+K" and are labelled "Search": speech control needs what is written.
  for (const button of document.querySelectorAll(".search-button-field")) button.removeAttribute("aria-label");
});
// A moving figure opens enlarged as it stands now.
addEventListener("input", (event) => {
  const link = event.target.closest("figure[data-pictures]")?.querySelector("a.enlarge");
  if (link) link.href = link.querySelector("img").src;
});
// On a phone a tap on a figure shows all its pixels where it stands, around the point that was tapped; a second tap ends it.
addEventListener("click", (event) => {
  const link = event.target.closest("a.enlarge");
  if (!link || !matchMedia("screen and (max-width: 700px)").matches) return;
  const image = link.querySelector("img");
  const before = image.getBoundingClientRect();
  link.classList.toggle("whole");
  const after = image.getBoundingClientRect();
  if (after.width === before.width) return;  // all its pixels are there: the link opens the file
  event.preventDefault();
  link.scrollLeft += (event.clientX - before.left) * (after.width / before.width) - (event.clientX - after.left);
});
// A link to an outcome opens it, also where the address already names it.
const openOutcome = (hash) => {
  const place = document.getElementById(hash.slice(1));
  if (place?.matches("details.folded")) place.open = true;
};
addEventListener("hashchange", () => openOutcome(location.hash));
addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#outcome-']");
  if (link) openOutcome(link.hash);
});
// A browser that goes back puts a slider where it was left: its picture follows.
addEventListener("pageshow", () => {
  for (const input of document.querySelectorAll("figure[data-pictures] input")) {
    if (input.value !== input.defaultValue) input.dispatchEvent(new Event("input", {bubbles: true}));
  }
});
// From a folder a link opens a copy instead of saving it, but the copy lies in that folder already.
addEventListener("DOMContentLoaded", () => {
  if (location.protocol !== "file:") return;
  for (const place of document.querySelectorAll(".from-folder")) place.hidden = false;
});
// Who comes back to a page, say from the glossary, finds it as it was left: what was open, and the place.
const folds = () => [...document.querySelectorAll("article details")];
addEventListener("click", (event) => {
  if (!event.target.closest("a[href]")) return;
  history.replaceState({open: folds().map((each) => each.open), place: scrollY}, "");
}, {capture: true});
addEventListener("DOMContentLoaded", () => {
  if (!history.state?.open) return;
  folds().forEach((each, number) => { each.open = history.state.open[number]; });
  addEventListener("load", () => scrollTo(0, history.state.place));
});
// On a phone the contents close once a line of them is chosen.
addEventListener("click", (event) => {
  if (event.target.closest("dialog[open] a[href]")) event.target.closest("dialog").close();
});
