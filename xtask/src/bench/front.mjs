// Ends TLS in front of a server that speaks plain HTTP. It says its port and ends with its input.
import fs from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

const [key, cert, port] = process.argv.slice(2);
const identity = { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };

const server = tls.createServer(identity, (client) => {
  const upstream = net.connect(Number(port), '127.0.0.1');
  for (const [one, other] of [[client, upstream], [upstream, client]]) {
    one.setNoDelay(true);
    one.on('error', () => other.destroy()).pipe(other);
  }
});
server.on('tlsClientError', () => {});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
