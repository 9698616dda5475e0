// POSTs JSON over TLS, with the server's certificate checked against one authority.
import { request } from 'node:https'
import { failure } from '../io.ts'

export type Posted = { readonly status: number; readonly text: string }
/** Why there is no answer, and what to do. */
export type NoAnswer = { readonly problem: string }

const TIMEOUT_MS = 10_000

export function post(url: URL, json: string, ca: string): Promise<Posted | NoAnswer> {
  return new Promise(resolve => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(json) }
    const fail = (error: unknown) => resolve({ problem: explain(error, url) })
    const options = { method: 'POST', ca, headers, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }
    const sent = request(url, options, answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('error', fail)
      answer.on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    sent.on('error', fail)
    sent.end(json)
  })
}

function explain(error: unknown, { origin }: URL): string {
  const { code, message } = failure(error)
  if (code === 'ECONNREFUSED') return `nothing listens on ${origin}; start it with: npm start`
  if (code === 'ENOTFOUND') return `there is no host ${new URL(origin).hostname}; correct --server`
  if (code === 'ABORT_ERR') return `${origin} did not answer within ${TIMEOUT_MS / 1000} s`
  if (code !== undefined && /CERT|SELF_SIGNED|ISSUER|VERIFY/.test(code)) {
    // What follows is advice about authorities of the system, which are not asked here.
    const [why] = message.split(';')
    return `the certificate of ${origin} is not one that --ca vouches for (${why}); give the ca.crt of that server`
  }
  return `${origin} gave no answer: ${message}`
}
