// A program that speaks WebSocket: the library `ws`, over the socket.
//
// node websocket.js SOCKET TREE
'use strict';
const WebSocket = require('ws');

const [socketPath, tree] = process.argv.slice(2);
const socket = new WebSocket(`ws+unix:${socketPath}:/`);
const messages = [];
let wake = () => {};
socket.on('message', (data) => { messages.push(JSON.parse(data)); wake(); });
socket.on('error', fail);
socket.on('close', (code) => console.log('closed:', code));

async function next() {
  while (messages.length === 0) await new Promise((resolve) => { wake = resolve; });
  return messages.shift();
}

async function call(id, method, params) {
  socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  return next();
}

async function main() {
  await new Promise((resolve) => socket.once('open', resolve));
  const query = { patterns: ['kettle'], cwd: tree };
  console.log('ping:', typeof (await call(1, 'daemon.ping', {})).result.uptime_seconds);
  const found = (await call('two', 'index.search', { query })).result;
  console.log('search:', found.matches.map(({ path, text }) => `${path}: ${text}`).join(' | '));

  const stream = await call(3, 'index.searchStream', { query });
  console.log('stream:', typeof stream.result);
  for (;;) {
    const { method, params } = await next();
    const [kind] = Object.keys(params.result);
    console.log(`${method}: ${kind}`);
    if (kind === 'done' || kind === 'failed') break;
  }

  const pong = new Promise((resolve) => socket.once('pong', (data) => resolve(String(data))));
  socket.ping('warm?');
  console.log('pong:', await pong);
  socket.send('no json');
  const { id, error } = await next();
  console.log('error:', id, error.code, error.data.kind);
  console.log('after it:', typeof (await call(4, 'daemon.ping', {})).result.uptime_seconds);
  socket.close(1000);
}

function fail(error) {
  console.log('failed:', error);
  process.exit(1);
}

main().catch(fail);
