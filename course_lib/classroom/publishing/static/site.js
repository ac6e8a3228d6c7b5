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
