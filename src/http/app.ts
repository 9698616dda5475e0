// What the server says besides admission: health, readiness, what it is.
import express, { type Express } from 'express'
import type { Log } from '../log.ts'

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
  app.use(
    (_, response) => void response.status(404).json({ error: `there is nothing here; the addresses are ${PATHS}` }),
  )
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, _: express.Request, response: express.Response, next: express.NextFunction) => {
    if (response.headersSent) return next(error)
    const status = statusOf(error)
    if (status === 500) log.error({ err: error }, 'request failed')
    response.status(status).json({ error: `the request could not be served; the addresses are ${PATHS}` })
  })
  return app
}

const PATHS = 'POST /mutate, POST /validate, GET /healthz, GET /readyz'
const ABOUT = {
  name: 'portcullis',
  says: 'One label puts a login in front of a Kubernetes route. This is its admission webhook.',
  addresses: PATHS.split(', '),
}

/** An address that cannot be decoded is the caller's mistake: Express marks such an error with its status. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}
