// Shows /openapi.json. No library, nothing from elsewhere; text only ever goes in as text.
'use strict';

function element(name, text, parent, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  parent.appendChild(made);
  return made;
}

function typeName(schema) {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.allOf) return typeName(schema.allOf[0]);
  if (schema.type === 'array') return 'list of ' + typeName(schema.items);
  if (schema.additionalProperties) return 'map to ' + typeName(schema.additionalProperties);
  return [].concat(schema.type || 'any').join(' or ') + (schema.format ? ' (' + schema.format + ')' : '');
}

function row(table, cells) {
  const line = element('tr', '', table);
  cells.forEach((text) => element('td', text, line));
}

function showOperation(verb, path, operation, parent) {
  const details = element('details', '', parent);
  const summary = element('summary', '', details);
  element('b', verb.toUpperCase(), summary, 'verb');
  element('code', ' ' + path + ' ', summary);
  element('span', operation.summary || '', summary, 'hint');
  element('p', operation.description || '', details);
  const parameters = operation.parameters || [];
  if (parameters.length) {
    const table = element('table', '', details);
    parameters.forEach((p) => row(table, [p.name, p.in, typeName(p.schema), p.description || '']));
  }
  const body = operation.requestBody;
  if (body) {
    const media = Object.keys(body.content)[0];
    element('p', 'Body: ' + media + ', ' + typeName(body.content[media].schema), details);
  }
  const answers = element('table', '', details);
  Object.entries(operation.responses).forEach(([status, answer]) => {
    const content = answer.content || {};
    const media = Object.keys(content).join(', ');
    const first = Object.values(content)[0];
    row(answers, [status, media, first ? typeName(first.schema) : '', answer.description || '']);
  });
}

function showSchema(name, schema, parent) {
  const details = element('details', '', parent);
  element('summary', name, details);
  element('p', schema.description || '', details);
  if (schema.enum) element('p', schema.enum.join(', '), details);
  const table = element('table', '', details);
  Object.entries(schema.properties || {}).forEach(
      ([field, type]) => row(table, [field, typeName(type), type.description || '']));
}

fetch('/openapi.json').then((answer) => answer.json()).then((api) => {
  document.getElementById('about').textContent = api.info.description || '';
  const operations = document.getElementById('operations');
  Object.entries(api.paths).forEach(([path, item]) => {
    Object.entries(item).forEach(([verb, operation]) => showOperation(verb, path, operation, operations));
  });
  const schemas = document.getElementById('schemas');
  Object.entries(api.components.schemas).forEach(([name, schema]) => showSchema(name, schema, schemas));
});
