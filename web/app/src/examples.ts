/** Public data that comes with the page. */

export interface Example {
  /** Of the graph it makes. */
  name: string;
  title: string;
  what: string;
  set: string;
  file: string;
  licence: string;
}

const example = (name: string, set: string, title: string, what: string): Example => ({
  name, set, title, what, file: `./examples/${set}/records.csv`, licence: `./examples/${set}/LICENSE`,
});

export const EXAMPLES: readonly Example[] = [
  example("restaurants", "fodors-zagats", "864 restaurants", "Two guides, one after the other. 112 stand in both, written differently."),
  example("people", "febrl1", "1,000 people", "Each person twice, once with slips of the pen."),
  example("more people", "febrl3", "5,000 people", "2,000 persons with up to five misspelt copies."),
];
