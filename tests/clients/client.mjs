// Logs in, refreshes, revokes, introspects and verifies against a running Edge, as a Node service would.
// Prints one JSON object with what it saw.

import { createRemoteJWKSet, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD } = process.env;
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(ISSUER);
const client = { client_id: CLIENT_ID };
const proof = oauth.ClientSecretBasic(CLIENT_SECRET);

const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure }),
);

const keys = createRemoteJWKSet(new URL(server.jwks_uri));
async function verified(token) {
  const options = { issuer: ISSUER, audience: "edge", typ: "at+jwt" };
  return (await jwtVerify(token, keys, options)).payload;
}

async function active(token) {
  const answer = await oauth.introspectionRequest(server, client, proof, token, insecure);
  return (await oauth.processIntrospectionResponse(server, client, answer)).active;
}

async function granted(grant, parameters) {
  const answer = await oauth.genericTokenEndpointRequest(
    server, client, proof, grant, parameters, insecure,
  );
  return oauth.processGenericTokenEndpointResponse(server, client, answer);
}

const login = await granted("password", { username: USERNAME, password: PASSWORD });
const first = await verified(login.access_token);

const refreshed = await oauth.processRefreshTokenResponse(
  server,
  client,
  await oauth.refreshTokenGrantRequest(server, client, proof, login.refresh_token, insecure),
);
const second = await verified(refreshed.access_token);
const before = await active(refreshed.access_token);

await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, proof, refreshed.refresh_token, insecure),
);
const after = await active(refreshed.access_token);

const own = await oauth.processClientCredentialsResponse(
  server,
  client,
  await oauth.clientCredentialsGrantRequest(server, client, proof, {}, insecure),
);

console.log(
  JSON.stringify({
    same_user: first.sub === second.sub,
    same_session: first.sid === second.sid,
    active_before: before,
    active_after: after,
    own_subject: (await verified(own.access_token)).sub,
    tokens: [login.access_token, login.refresh_token, refreshed.access_token, refreshed.refresh_token, own.access_token],
  }),
);
