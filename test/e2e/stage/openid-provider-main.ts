// The process of the OpenID provider: what Entra ID does where an installation depends on it, with a page that asks for
// a name and no password. Its settings are a JSON file.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { type Context, Provider } from 'oidc-provider'
import type { OpenIdSettings } from './openid-provider.ts'
import type { Person } from './people.ts'

const settings: OpenIdSettings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const { port, tenant, people, clients, mailDomain } = settings
// A version 2 issuer.
const mount = `/${tenant}/v2.0`
const issuer = `http://127.0.0.1:${port}${mount}`

const digest = (...of: string[]) => createHash('sha256').update(of.join('\n')).digest('base64url')
const personNamed = (name: string | null | undefined): Person | undefined => people.find(each => each.name === name)

function claims({ name, groups }: Person, sub: string): Record<string, unknown> {
  const upn = `${name}@${mailDomain}`
  return {
    sub,
    oid: digest(tenant, name),
    tid: tenant,
    ver: '2.0',
    upn,
    preferred_username: upn,
    name,
    // Nobody's groups are no claim at all. Neither email nor email_verified: they come only where somebody asks for them.
    ...(groups.length > 0 ? { groups } : {}),
  }
}

const provider = new Provider(issuer, {
  clients: clients.map(({ id, secret, redirectUris }) => ({
    client_id: id,
    client_secret: secret,
    redirect_uris: redirectUris,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    // Another subject for each application, as Entra ID has; with several hosts oidc-provider wants their list from a server.
    subject_type: new Set(redirectUris.map(each => new URL(each).host)).size > 1 ? 'public' : 'pairwise',
  })),
  subjectTypes: ['pairwise', 'public'],
  pairwiseIdentifier: async (_: Context, account: string, client: { clientId: string }) =>
    digest(client.clientId, account),
  scopes: ['openid', 'profile', 'email', 'offline_access'],
  // Groups are a setting of the registration there and need no scope.
  claims: { openid: ['sub', 'oid', 'tid', 'ver', 'upn', 'groups', 'preferred_username', 'name'] },
  conformIdTokenClaims: false,
  findAccount: async (_: Context, accountId: string) => {
    const person = personNamed(accountId)
    return person && { accountId, claims: async () => claims(person, accountId) }
  },
  interactions: { url: (_: Context, { uid }: { uid: string }) => `${mount}/login/${uid}` },
  features: { devInteractions: { enabled: false } },
  // Nobody is asked for consent: an administrator has given it.
  loadExistingGrant: async ({ oidc }: Context) => {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId })
    grant.addOIDCScope(oidc.params.scope)
    await grant.save()
    return grant
  },
  issueRefreshToken: async () => true,
  pkce: { required: () => false },
  cookies: { keys: [digest(issuer)] },
  ttl: { Session: 3600, Interaction: 600, Grant: 3600, AccessToken: 3600, IdToken: 3600, RefreshToken: 3600 },
})
provider.on('server_error', (_, error) => console.error(error))

async function login(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST') {
    const person = personNamed(new URLSearchParams(await text(request)).get('user'))
    if (person === undefined) {
      response.writeHead(403).end('nobody of that name')
      return
    }
    return provider.interactionFinished(request, response, { login: { accountId: person.name } }, {})
  }
  const { params } = await provider.interactionDetails(request, response)
  const buttons = people.map(({ name }) => `<button name="user" value="${name}" id="${name}">${name}</button>`)
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(`<!doctype html><title>Sign in</title><h1>Sign in to ${params.client_id}</h1>
<form method="post">${buttons.join(' ')}</form>`)
}

const serve = provider.callback()
createServer((request, response) => {
  const url = request.url ?? '/'
  if (!url.startsWith(`${mount}/`)) {
    response.writeHead(404).end()
    return
  }
  // How oidc-provider learns where it is mounted.
  Object.assign(request, { originalUrl: url, url: url.slice(mount.length) })
  const answered = request.url?.startsWith('/login/') ? login(request, response) : serve(request, response)
  answered.catch((error: unknown) => {
    console.error(error)
    response.writeHead(500).end(String(error))
  })
}).listen(port, '127.0.0.1', () => console.log(issuer))
