// All objects of a kind, read once from the API server in pages.
import type { KubeObject } from '../core/types.ts'
import type { Connection } from './connection.ts'
import { readMessage, readPage } from './read.ts'

const ANSWER_MS = 30_000
const PAGE_SIZE = 500

/** `absent`: the kind is not installed. `failed`: the list is not complete; what was handed on is as it was all the same. */
export type Listed =
  | { readonly outcome: 'complete'; readonly count: number }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'failed'; readonly message: string }

/** `receive` gets every object; between two pages others have their turn. */
export async function listAll(
  connection: Pick<Connection, 'request'>,
  path: string,
  receive: (object: KubeObject) => void,
): Promise<Listed> {
  let count = 0
  let next = ''
  do {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE), ...(next === '' ? {} : { continue: next }) })
    const reply = await connection
      .request({ path: `${path}?${query}`, timeoutMs: ANSWER_MS })
      .catch((error: Error) => ({ status: 0, body: error.message }))
    if (reply.status === 404) return { outcome: 'absent' }
    const page = reply.status === 200 ? readPage(reply.body) : undefined
    if (page === undefined) return { outcome: 'failed', message: `${reply.status} ${readMessage(reply.body)}` }
    for (const item of page.items) receive(item)
    count += page.items.length
    next = page.next
  } while (next !== '')
  return { outcome: 'complete', count }
}
