// An editor: vscode-jsonrpc over the socket, with `Content-Length` headers.
//
// node editor.js SOCKET TREE PROTOCOL
'use strict';
const fs = require('fs');
const net = require('net');
const path = require('path');
const rpc = require('vscode-jsonrpc/node');

const [socketPath, tree, protocol] = process.argv.slice(2);

async function main() {
  const socket = net.connect(socketPath);
  const editor = rpc.createMessageConnection(
    new rpc.StreamMessageReader(socket),
    new rpc.StreamMessageWriter(socket),
  );
  editor.onError(([error]) => fail(error));
  const changes = [];
  let wake = () => {};
  editor.onNotification('index.changed', ({ result }) => { changes.push(result); wake(); });
  const hears = async (accepts) => {
    for (;;) {
      const at = changes.findIndex(accepts);
      if (at >= 0) return changes.splice(0, at + 1).pop();
      await new Promise((resolve) => { wake = resolve; });
    }
  };
  editor.listen();

  const hello = await editor.sendRequest('daemon.hello', { protocol: Number(protocol), client: 'editor' });
  console.log('hello:', hello.protocol === Number(protocol));

  const subscription = await editor.sendRequest('index.changes', { dir: tree });
  await editor.sendRequest('index.build', { dir: tree });
  const indexed = await hears((change) => change.files === 2 && change.pending === 0);
  console.log('progress:', indexed.files - indexed.pending, 'of', indexed.files);

  const search = async (pattern) => {
    const result = await editor.sendRequest('index.search', { query: { patterns: [pattern], cwd: tree } });
    return result.matches.map((match) => `${match.path}:${match.line}:${match.text}`).join(' | ');
  };
  console.log('search:', await search('kettle'));
  fs.writeFileSync(path.join(tree, 'new.txt'), 'no\nä kettle ☕\n');
  const change = await hears(({ changed }) => changed.includes('new.txt'));
  console.log('changed:', change.changed.join(' '));
  console.log('search:', await search('kettle'));

  // Many at once: each answer finds its request.
  const names = Array.from({ length: 60 }, (_, i) => (i % 2 ? 'kettle' : `nothing${i}`));
  const answers = await Promise.all(names.map(search));
  console.log('at once:', answers.filter((found) => found).length, 'of', answers.length);

  await editor.sendRequest('index.serach', {}).catch(({ code, data }) => {
    console.log('error:', code, data.kind, '-', data.hint);
  });
  console.log('ended:', await editor.sendRequest('index.changesStop', { subscription }));
  editor.end();
  socket.end();
}

function fail(error) {
  console.log('failed:', error);
  process.exit(1);
}

main().catch(fail);
