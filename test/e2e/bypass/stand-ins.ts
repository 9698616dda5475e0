// What rows need besides applications: a Service that leads to another's pods, and one that counts what reaches it.
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { object } from '../../../src/core/json.ts'
import { applied } from '../../integration/objects.ts'
import { type Endpoint, serveService } from '../../parts/service.ts'
import { serviceAddress } from '../stage/addresses.ts'
import { service } from '../stage/objects.ts'
import type { Stage } from '../stage/stage.ts'

export type StandIn = { close(): unknown }

/** What a selector does for the pods of the application. */
export async function startAlias({ cluster: { controlPlane, api } }: Stage, namespace: string): Promise<StandIn> {
  const { body } = await api.send('GET', `/api/v1/namespaces/${namespace}/services/prometheus`)
  const listen = serviceAddress()
  const served = await serveService(listen)
  served.use([{ host: String(object(body.spec).clusterIP), port: 80 }])
  await applied(controlPlane, service(namespace, 'alias', listen))
  return served
}

/** Says at `/-/hits?<path>` how many requests for the path have reached it; of those for `/-/` none. */
export async function startRecorder({ cluster: { controlPlane } }: Stage, namespace: string): Promise<StandIn> {
  const listen = serviceAddress()
  const paths: string[] = []
  const server = createServer((request, response) => {
    const { url = '' } = request
    const [, asked] = url.split('?')
    if (!url.startsWith('/-/')) paths.push(url)
    const count = paths.filter(path => path === asked).length
    response.writeHead(200, { 'x-application': 'recorder' }).end(JSON.stringify(count))
  })
  await listening(server, listen)
  await applied(controlPlane, service(namespace, 'recorder', listen))
  return server
}

/** An application that speaks HTTP/2 without TLS, as gRPC has it. */
export async function startHttp2({ cluster: { controlPlane } }: Stage, namespace: string): Promise<StandIn> {
  const listen = serviceAddress()
  const server = createHttp2Server((_, response) => {
    response.writeHead(200, { 'content-type': 'application/grpc', 'x-application': 'grpc' })
    response.end(JSON.stringify({ application: 'grpc' }))
  })
  await listening(server, listen)
  await applied(controlPlane, service(namespace, 'grpc', listen))
  return server
}

/** How many requests for this path the recorder of a namespace has got. */
export async function recorded({ cluster: { api } }: Stage, namespace: string, path: string): Promise<number> {
  const { body } = await api.send('GET', `/api/v1/namespaces/${namespace}/services/recorder`)
  return Number(await (await fetch(`http://${String(object(body.spec).clusterIP)}/-/hits?${path}`)).text())
}

type Listens = {
  listen(port: number, host: string, done: () => void): unknown
  once(name: 'error', of: (error: Error) => void): unknown
}

function listening(server: Listens, { host, port }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
}
