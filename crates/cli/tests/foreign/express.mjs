// @node-oauth/oauth2-server under Express: another hand, and no revocation endpoint at all.
import OAuth2Server from '@node-oauth/oauth2-server';
import express from 'express';
import { api, serve, settings } from './common.mjs';

const { Request, Response } = OAuth2Server;
const codes = new Map();
const access = new Map();
const refresh = new Map();

const client = {
  id: settings.clientId,
  grants: ['authorization_code', 'refresh_token'],
  redirectUris: settings.redirectUris,
  accessTokenLifetime: settings.accessTokenSeconds,
};

const model = {
  // The authorization endpoint asks without a secret.
  async getClient(id, secret) {
    const known = id === client.id && (secret == null || secret === settings.clientSecret);
    return known && client;
  },
  async saveAuthorizationCode(code, owner, user) {
    const row = { ...code, client: owner, user };
    codes.set(code.authorizationCode, row);
    return row;
  },
  getAuthorizationCode: async (code) => codes.get(code),
  revokeAuthorizationCode: async ({ authorizationCode }) => codes.delete(authorizationCode),
  async saveToken(token, owner, user) {
    const row = { ...token, client: owner, user };
    access.set(token.accessToken, row);
    if (token.refreshToken) refresh.set(token.refreshToken, row);
    return row;
  },
  getAccessToken: async (token) => access.get(token),
  getRefreshToken: async (token) => refresh.get(token),
  revokeToken: async ({ refreshToken }) => refresh.delete(refreshToken),
  validateScope: async (_user, _client, scope) => scope ?? ['useraccount'],
};

const oauth = new OAuth2Server({ model, alwaysIssueNewRefreshToken: settings.rotate });

// Express has `req` and `res`, the library has its own; errors that are redirects carry a location.
const through = (action) => async (req, res) => {
  const response = new Response(res);
  try {
    await action(new Request(req), response);
  } catch (error) {
    if (!response.headers.location) {
      response.status = error.code ?? 500;
      response.body = { error: error.name, error_description: error.message };
    }
  }
  res.status(response.status ?? 200).set(response.headers).send(response.body);
};

serve(() => {
  const app = express();
  app.use(express.urlencoded({ extended: false, limit: '64kb' }));
  const authenticateHandler = { handle: () => ({ id: 'admin' }) };
  app.get('/oauth_auth.do', through((q, s) => oauth.authorize(q, s, { authenticateHandler })));
  app.post('/oauth_token.do', through((q, s) => oauth.token(q, s)));
  const isAlive = async (token) => access.get(token)?.accessTokenExpiresAt > new Date();
  app.use('/api/now', (req, res) => {
    req.url = req.originalUrl;
    return api(req, res, isAlive);
  });
  return app;
});
