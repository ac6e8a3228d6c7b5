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
// A link to an outcome opens it.
addEventListener("hashchange", () => {
  const place = document.getElementById(location.hash.slice(1));
  if (place?.matches("details.folded")) place.open = true;
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
