// What the two Node servers share: they report what they are asked, answer the few ServiceNow API
// calls, and end when the test that started them ends.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const env = process.env;

export const settings = {
  clientId: env.CLIENT_ID,
  clientSecret: env.CLIENT_SECRET,
  redirectUris: JSON.parse(env.REDIRECT_URIS ?? '[]'),
  accessTokenSeconds: Number(env.AT_TTL ?? 1799),
  rotate: env.ROTATE === '1',
  pkceRequired: env.PKCE === '1',
  authMethod: env.AUTH ?? 'client_secret_post',
};

// One line of JSON for each thing the test may want to know.
export function say(what) {
  fs.writeSync(1, `${JSON.stringify(what)}\n`);
}

// Listens on a free port, hands the origin to `build`, and lets the handler that comes back answer.
export function serve(build) {
  let handler;
  const answer = (req, res) => {
    record(req, res);
    handler(req, res);
  };
  const tls = env.TLS_KEY && { key: fs.readFileSync(env.TLS_KEY), cert: fs.readFileSync(env.TLS_CERT) };
  const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
  server.listen(Number(env.PORT ?? 0), '127.0.0.1', () => {
    const { port } = server.address();
    handler = build(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`);
    say({ up: port });
  });
  // The test holds the other end of this pipe: however it dies, so do we.
  process.stdin.on('end', () => process.exit(0)).resume();
}

// Looks over the parser's shoulder: the raw body shows a parameter that is sent twice.
function record(req, res) {
  const chunks = [];
  const emit = req.emit;
  req.emit = function tapped(event, chunk, ...rest) {
    if (event === 'data') chunks.push(chunk);
    return emit.call(this, event, chunk, ...rest);
  };
  res.on('finish', () => say({
    request: {
      method: req.method,
      target: req.originalUrl ?? req.url,
      headers: req.rawHeaders,
      body: Buffer.concat(chunks).toString('latin1'),
      status: res.statusCode,
    },
  }));
}

const TABLES = /^(kb_\w+|sys_\w+|m2m_kb_\w+|user_criteria|cmn_\w+|core_company|oauth_\w+)$/;
const USER = {
  user_sys_id: '6816f79cc0a8016401c5a33be04be441',
  user_name: 'admin',
  user_display_name: 'System Administrator',
  user_initials: 'SA',
  user_avatar: '',
};

// Answers `/api/now/…` as an instance would; `isAlive` is the server's own judgement of the token.
export async function api(req, res, isAlive) {
  const [, token] = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '') ?? [];
  const [status, body] = token && (await isAlive(token))
    ? answerTo(new URL(req.url, 'http://127.0.0.1').pathname, req.method)
    : [401, failure('User Not Authenticated', 'Required to provide Auth information')];
  const headers = { 'Content-Type': 'application/json;charset=UTF-8' };
  if (status === 401) headers['WWW-Authenticate'] = 'BASIC realm="Service-now"';
  res.writeHead(status, headers).end(JSON.stringify(body));
}

function answerTo(path, method) {
  if (method !== 'GET') return [403, failure('Operation against file was aborted', null)];
  if (path === '/api/now/ui/user/current_user') return [200, { result: USER }];
  if (path === '/api/now/attachment') return [200, { result: [] }];
  const [, kind, table, id] = /^\/api\/now\/(table|stats)\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? [];
  if (!kind) return [404, failure('Requested URI does not represent any resource', path)];
  if (!TABLES.test(table)) return [400, failure(`Invalid table ${table}`, null)];
  if (kind === 'stats') return [200, { result: { stats: { count: '1' } } }];
  const row = { sys_id: id ?? USER.user_sys_id, user_name: 'admin', name: 'System Administrator', number: 'KB0000001' };
  return [200, { result: id ? row : [row] }];
}

function failure(message, detail) {
  return { error: { message, detail }, status: 'failure' };
}
