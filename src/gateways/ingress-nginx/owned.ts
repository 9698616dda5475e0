// Which annotations of ingress-nginx are its authentication, and so ours on a protected Ingress.
import type { Client } from '../../core/types.ts'

/** Text that becomes nginx configuration: it can switch authentication off, so it is refused and never written. */
export const SNIPPETS: ReadonlySet<string> = new Set([
  'auth-snippet',
  'configuration-snippet',
  'server-snippet',
  'stream-snippet',
  'modsecurity-snippet',
])

/** Keys that we may set, take out and put back. */
const OWNED: ReadonlySet<string> = new Set([
  'satisfy',
  'enable-global-auth',
  'custom-http-errors',
  'default-backend',
  'proxy-buffer-size',
])

export function isOwned(name: string | undefined): boolean {
  return name !== undefined && (OWNED.has(name) || isAuth(name))
}

/** The family of external and basic authentication. Client certificates (`auth-tls-…`) are a lock of their own, which stays. */
function isAuth(name: string): boolean {
  return name.startsWith('auth-') && !name.startsWith('auth-tls-')
}

/**
 * Whether an annotation has to be out of the way. `satisfy: any` lets an address range replace the login;
 * `enable-global-auth` switches the administrator's backstop; error pages for 401 and 403 swallow the answer to a request
 * without a session, and for a client without sign-in address deliver it to the error backend, which may be the
 * application itself (seen on 1.15.1).
 */
export function isAside(name: string, value: string, client: Client): boolean {
  switch (name) {
    case 'satisfy':
    case 'enable-global-auth':
      return true
    case 'custom-http-errors':
      return value.split(',').some(code => code.trim() === '401' || code.trim() === '403')
    case 'default-backend':
      return client === 'api'
    default:
      return isAuth(name)
  }
}

/** What Go's ParseBool, with which the controller reads, takes for true. */
export function isTrue(value: string | undefined): boolean {
  return value !== undefined && TRUE.has(value)
}

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
