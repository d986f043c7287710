// The query page: YASGUI on this endpoint, and the examples that the graph itself holds.
"use strict";

const here = (path) => new URL(path, document.baseURI).href;
const EXAMPLES = `PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?example ?label ?comment ?query {
  ?example a sh:SPARQLExecutable ; rdfs:label ?label ; rdfs:comment ?comment ; sh:select ?query
} ORDER BY ?example`;

Yasgui.Yasqe.defaults.prefixCcApi = here("page/prefixes.json");
const yasgui = new Yasgui(document.getElementById("yasgui"), {
  requestConfig: { endpoint: here("sparql") },
  endpointCatalogueOptions: { getData: () => [], keys: [] },
  copyEndpointOnNewTab: true,
  persistenceId: "atmpkg " + here("sparql"),
  yasqe: { showQueryButton: true, value: "SELECT ?product ?label {\n  ?product a atmp:Product ; rdfs:label ?label\n}\nORDER BY ?label\nLIMIT 20\n" },
});
window.yasgui = yasgui;

function open(example) {
  const tab = yasgui.getTab() || yasgui.addTab(true);
  tab.setEndpoint(here("sparql"));
  tab.setName(example.label.value);
  tab.setQuery(example.query.value);
  tab.getYasqe().focus();
}

function list(examples) {
  const place = document.getElementById("examples");
  const words = document.getElementById("search").value.toLowerCase().split(/\s+/);
  place.replaceChildren();
  let pack = "";
  for (const example of examples) {
    const text = `${example.example.value} ${example.label.value} ${example.comment.value}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    const its = example.example.value.split("/").at(-2);
    if (its !== pack) {
      pack = its;
      const heading = document.createElement("h2");
      heading.textContent = pack;
      place.append(heading);
    }
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = example.label.value;
    button.title = example.comment.value;
    button.addEventListener("click", () => open(example));
    place.append(button);
  }
  if (!pack) place.textContent = "no question fits";
}

fetch(here("sparql"), {
  method: "POST",
  headers: { "Content-Type": "application/sparql-query", Accept: "application/sparql-results+json" },
  body: EXAMPLES,
})
  .then((response) => (response.ok ? response.json() : Promise.reject(new Error(response.statusText))))
  .then((found) => {
    const examples = found.results.bindings;
    list(examples);
    document.getElementById("search").addEventListener("input", () => list(examples));
  })
  .catch((error) => {
    document.getElementById("examples").textContent = `cannot read the questions: ${error.message}`;
  });
