/** How good a result of the search is. A chapter comes before the reference, however often a name stands there. */
var Scorer = {
  score: ([page, , , , score]) => (/^(api$|api\/)/.test(page) ? score - 1000 : score),

  // As Sphinx has them: it takes all from here or nothing.
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
