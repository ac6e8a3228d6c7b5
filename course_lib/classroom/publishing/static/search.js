// What Sphinx's search finds on a page is shown as the sections that hold all words; the instructor's pages come last.
const MOST_OF_A_PAGE = 3;
Documentation.TRANSLATIONS["Search finished, found one page matching the search query."] =
  ["Search finished, found one place.", "Search finished, found ${resultCount} places."];
document.addEventListener("DOMContentLoaded", () => {  // before the search begins, which waits for the same
  const ofPages = Search.performTermsSearch;
  const stemmer = new Stemmer();
  const stems = (text) => splitQuery(text.toLowerCase()).map((word) => stemmer.stemWord(word));
  const holds = (section, words) => words.every((word) => section.stems.has(word));
  const sections = SECTIONS.map(([page, above, title, place, words]) => ({page, above, title, place,
    inTitle: new Set(stems(title)), stems: new Set([...words.split(" "), ...stems(title)])}));
  const isTitled = (section, words) => words.every((word) => section.inTitle.has(word));
  const result = ({page, above, title, place}, score) =>
    [page, `${above} > ${title}`, `#${place}`, null, score, `${page}.md`, SearchResultKind.text];
  const inside = ([page, , , , score], words) => sections
    .filter((section) => section.page === page && holds(section, words))
    .sort((one, other) => isTitled(other, words) - isTitled(one, words))
    .slice(0, MOST_OF_A_PAGE)
    .map((section) => result(section, isTitled(section, words) ? Scorer.title : score));

  Search.performTermsSearch = (terms, excluded) => {
    const words = terms.size ? [...terms] : stems(new URLSearchParams(location.search).get("q"));
    // Only stop words, such as "what is", which no page is found by: they may stand in a title.
    if (!terms.size) return sections.filter((each) => isTitled(each, words)).map((each) => result(each, Scorer.title));
    return ofPages(terms, excluded).flatMap((page) => {
      const found = inside(page, words);
      const ofTitle = stems(page[1]);
      const isTitle = words.every((word) => ofTitle.includes(word));
      return found.length && !isTitle ? found : [page, ...found];
    });
  };
  Scorer.score = ([page, , , , score]) => page.startsWith("instructor/") ? score - 100 : score;
});
