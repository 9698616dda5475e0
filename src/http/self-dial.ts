// Whether the listener answers: the server connects to itself, as the API server would.
import type { X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'

export type SelfDialOptions = {
  /** Where the server listens; `::` and `0.0.0.0` are every address. */
  readonly address: string
  readonly port: number
  /** What it ought to show. */
  readonly certificate: () => X509Certificate | undefined
  readonly everyMs: number
  readonly timeoutMs: number
}

export type SelfDial = {
  problem(): string | undefined
  stop(): void
}

const NOT_YET = 'it has not been tried yet'

export function keepDialing(options: SelfDialOptions): SelfDial {
  let problem: string | undefined = NOT_YET
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const turn = async () => {
    problem = await dial(options)
    // While it does not answer, readiness waits for this.
    if (!stopped) timer = setTimeout(() => void turn(), problem === undefined ? options.everyMs : options.everyMs / 4)
  }
  void turn()
  return {
    problem: () => problem,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** Undefined: it answers, with the certificate that it ought to show. */
function dial({ address, port, certificate, timeoutMs }: SelfDialOptions): Promise<string | undefined> {
  const before = certificate()
  if (before === undefined) return Promise.resolve('there is no certificate to show')
  return new Promise(resolve => {
    // Whom to trust is not the question: it is whether our certificate comes back.
    const socket = connect({ host: loopback(address), port, rejectUnauthorized: false }, () => {
      const shown = socket.getPeerX509Certificate()?.fingerprint256
      const isOurs = shown === before.fingerprint256 || shown === certificate()?.fingerprint256
      end(isOurs ? undefined : 'another certificate is shown on our port')
    })
    const timer = setTimeout(() => end(`no TLS handshake within ${timeoutMs} ms`), timeoutMs)
    const end = (problem: string | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(problem)
    }
    socket.on('error', error => end(error.message))
  })
}

function loopback(address: string): string {
  if (address === '::') return '::1'
  return address === '0.0.0.0' ? '127.0.0.1' : address
}
