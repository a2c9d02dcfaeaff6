// Holds the description of the interface against what OpenRPC says a description is, and its examples
// against the schemas that it has.
//
// node openrpc.js SOCKET TREE
'use strict';
const net = require('net');
const Ajv = require('ajv');
const { openrpcDocument } = require('@open-rpc/meta-schema');
const { jsonSchema } = require('@json-schema-tools/meta-schema');

const socket = net.connect(process.argv[2]);
let text = '';
socket.on('error', fail);
socket.on('data', (data) => {
  text += data;
  if (!text.endsWith('\n')) return;
  socket.end();
  judge(JSON.parse(text).result);
});
socket.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'rpc.discover' }) + '\n');

// Both are draft 07 by a name that Ajv does not know, and one names the other without its slash.
function draft07(schema) {
  const text = JSON.stringify(schema).replaceAll(/"(https:\/\/meta\.json-schema\.tools)"/g, '"$1/"');
  return { ...JSON.parse(text), $schema: 'http://json-schema.org/draft-07/schema#' };
}

function judge(description) {
  const meta = new Ajv({ strict: false, validateFormats: false });
  meta.addSchema(draft07(jsonSchema));
  const isOpenRpc = meta.compile(draft07(openrpcDocument));
  report('document', isOpenRpc(description) ? [] : isOpenRpc.errors.map(said));

  // That a reference leads nowhere, Ajv says when it compiles.
  const schemas = new Ajv({ strict: false, validateFormats: false });
  schemas.addSchema({ $id: 'hob:', components: description.components });
  const faults = [];
  let examples = 0;
  const check = (where, schema, value) => {
    examples += 1;
    const fits = schemas.compile(absolute(schema));
    if (!fits(value)) faults.push(...fits.errors.map((error) => `${where} ${said(error)}`));
  };
  const references = JSON.stringify(description.methods).matchAll(/"\$ref":"#\/components\/errors\/(\w+)"/g);
  const unknown = [...references].filter(([, kind]) => !(kind in description.components.errors));
  report('errors', unknown.map(([, kind]) => kind));
  for (const method of description.methods) {
    method.params.forEach((param) => schemas.compile(absolute(param.schema)));
    for (const example of method.examples ?? []) {
      for (const { name, value } of example.params) {
        const param = method.params.find((param) => param.name === name);
        check(`${method.name} ${name}`, param.schema, value);
      }
      check(`${method.name} result`, method.result.schema, example.result.value);
      for (const item of example['x-items'] ?? []) {
        check(`${method.name} item`, method['x-subscription'].item.schema, item);
      }
    }
  }
  report('examples', examples > description.methods.length ? faults : ['there are too few']);
}

function absolute(schema) {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"hob:#/'));
}

function said({ instancePath, message }) {
  return `${instancePath} ${message}`;
}

function report(what, faults) {
  console.log(`${what}:`, faults.length === 0 ? 'valid' : faults.slice(0, 5).join('; '));
}

function fail(error) {
  console.error(error);
  process.exit(1);
}
