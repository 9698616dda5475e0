// Whom admission answers, where an administrator says so: clients with a certificate of one authority, known by name.
import type { IncomingMessage } from 'node:http'
import { type PeerCertificate, TLSSocket } from 'node:tls'

/**
 * `names`: common names and subject alternative names, of which a certificate needs one. It is judged once a connection,
 * and good until it ends, however long the connection stays.
 */
export function onlyClients(names: readonly string[], now: () => number): (request: IncomingMessage) => boolean {
  const allowed = new Set(names)
  const until = new WeakMap<object, number>()
  return ({ socket }) => {
    const known = until.get(socket)
    if (known !== undefined) return now() < known
    const end = socket instanceof TLSSocket ? allowedUntil(socket, allowed) : 0
    until.set(socket, end)
    return now() < end
  }
}

/** In ms since the epoch; 0: not at all. */
function allowedUntil(socket: TLSSocket, allowed: ReadonlySet<string>): number {
  if (!socket.authorized) return 0
  const certificate = socket.getPeerCertificate()
  return namesOf(certificate).some(name => allowed.has(name)) ? Date.parse(certificate.valid_to) : 0
}

const COMPARED: ReadonlySet<string> = new Set(['DNS', 'URI', 'IP Address', 'email'])

function namesOf({ subject, subjectaltname = '' }: PeerCertificate): string[] {
  const common: unknown = subject?.CN
  // Node quotes a value that could be taken for more than one name. All kinds are read, so that none is found in another.
  const alternative = subjectaltname.matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)
  const names = Array.isArray(common) ? common.map(String) : typeof common === 'string' ? [common] : []
  for (const [, kind = '', value = ''] of alternative) {
    if (COMPARED.has(kind)) names.push(value.startsWith('"') ? String(JSON.parse(value)) : value)
  }
  return names
}
