// oidc-provider, certified by the OpenID Foundation, at ServiceNow's paths.
import { Provider } from 'oidc-provider';
import { api, serve, settings } from './common.mjs';

const DAYS_100 = 8_640_000;

serve((origin) => {
  const provider = new Provider(origin, {
    clients: [{
      client_id: settings.clientId,
      client_secret: settings.clientSecret,
      application_type: 'native',
      redirect_uris: settings.redirectUris,
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: settings.authMethod,
    }],
    scopes: ['openid', 'offline_access', 'useraccount'],
    pkce: { required: () => settings.pkceRequired },
    routes: {
      authorization: '/oauth_auth.do',
      token: '/oauth_token.do',
      revocation: '/oauth_revoke_token.do',
    },
    features: { revocation: { enabled: true }, devInteractions: { enabled: true } },
    // An instance gives a refresh token to everybody, `offline_access` or not.
    issueRefreshToken: async () => true,
    rotateRefreshToken: settings.rotate,
    ttl: {
      AccessToken: settings.accessTokenSeconds,
      AuthorizationCode: 60,
      RefreshToken: DAYS_100,
      Grant: DAYS_100,
      Interaction: 600,
      Session: 3600,
    },
    cookies: { keys: ['only for tests'] },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  });
  const oauth = provider.callback();
  const isAlive = async (token) => {
    const found = await provider.AccessToken.find(token);
    return Boolean(found) && !found.isExpired;
  };
  return (req, res) => {
    if (req.url.startsWith('/api/now/')) return api(req, res, isAlive);
    // This server denies who asks for no scope; an instance gives `useraccount`.
    if (req.url.startsWith('/oauth_auth.do?') && !/[?&]scope=/.test(req.url)) {
      req.url += '&scope=useraccount';
    }
    return oauth(req, res);
  };
});
