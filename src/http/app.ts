// What the server says besides admission: health, readiness, what it is.
import express, { type Express } from 'express'
import type { Log } from '../log.ts'
import { ADDRESSES, NOTHING_HERE, type Refusal, refuse } from './refusal.ts'

/** undefined: ready. Otherwise why not. */
export type Readiness = () => string | undefined

export function app({ notReady, log }: { notReady: Readiness; log: Log }): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.get('/healthz', (_, response) => void response.json({ status: 'ok' }))
  app.get('/readyz', (_, response) => {
    const reason = notReady()
    if (reason === undefined) response.json({ status: 'ready' })
    else response.status(503).json({ error: `not ready: ${reason}; ask again in a moment` })
  })
  app.get('/', (_, response) => void response.json(ABOUT))
  app.use((request, response) => refuse(request, response, NOTHING_HERE))
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, request: express.Request, response: express.Response, next: express.NextFunction) => {
    log.error({ err: error }, 'request failed')
    if (response.headersSent) next(error)
    else refuse(request, response, FAULT)
  })
  return app
}

const ABOUT = {
  name: 'portcullis',
  says: 'One label puts a login in front of a Kubernetes route. This is its admission webhook.',
  addresses: ADDRESSES,
}
const FAULT: Refusal = { status: 500, error: 'Portcullis failed; its log has the details' }
