// One team's oauth2-proxy, with the flags that Portcullis asks for and nothing made easier.
import { createHash } from 'node:crypto'
import { programAt } from '../../parts/locate.ts'
import { type RunningPart, startPart } from '../../parts/process.ts'
import type { Endpoint } from '../../parts/service.ts'

export type OAuth2ProxyOptions = {
  readonly dir: string
  readonly team: string
  readonly listen: Endpoint
  readonly issuer: string
  readonly clientSecret: string
  readonly loginHost: string
  readonly cookieDomain: string
  readonly cookieName: string
  readonly redis: string
  readonly allowedGroups: readonly string[]
  /** After the others: of two, oauth2-proxy takes the later. */
  readonly flags: readonly string[]
}

export function startOAuth2Proxy(options: OAuth2ProxyOptions): Promise<RunningPart> {
  return runOAuth2Proxy(options, flags(options))
}

/** With these flags alone, whatever they are. */
export function runOAuth2Proxy(
  { dir, team, listen }: Pick<OAuth2ProxyOptions, 'dir' | 'team' | 'listen'>,
  args: readonly string[],
): Promise<RunningPart> {
  return startPart({
    name: `oauth2-proxy-${team}`,
    command: programAt('oauth2-proxy'),
    args,
    dir,
    ready: async () => (await fetch(`http://${listen.host}:${listen.port}/ready`)).ok,
  })
}

export function cookieSecret(team: string): string {
  return createHash('sha256').update(team).digest('hex').slice(0, 32)
}

function flags(options: OAuth2ProxyOptions): string[] {
  const { team, listen, cookieDomain } = options
  return [
    `--http-address=${listen.host}:${listen.port}`,
    '--reverse-proxy=true',
    '--trusted-proxy-ip=127.0.0.0/8',
    '--upstream=static://200',
    '--skip-provider-button=true',
    '--set-xauthrequest=true',
    '--provider=oidc',
    `--oidc-issuer-url=${options.issuer}`,
    // Of Entra ID the user principal name is what is always there.
    '--oidc-email-claim=upn',
    '--email-domain=*',
    '--scope=openid profile',
    `--client-id=${team}`,
    `--client-secret=${options.clientSecret}`,
    '--code-challenge-method=S256',
    `--redirect-url=https://${options.loginHost}/oauth2/callback`,
    `--cookie-name=${options.cookieName}`,
    `--cookie-domain=.${cookieDomain}`,
    `--whitelist-domain=.${cookieDomain}`,
    // The same after a restart: sessions in Redis stay readable.
    `--cookie-secret=${cookieSecret(team)}`,
    '--cookie-samesite=lax',
    '--cookie-csrf-per-request=true',
    '--cookie-csrf-per-request-limit=5',
    '--session-store-type=redis',
    `--redis-connection-url=${options.redis}`,
    ...options.allowedGroups.map(group => `--allowed-group=${group}`),
    ...options.flags,
  ]
}
