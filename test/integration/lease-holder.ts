// A process of its own that holds a Lease and works while it does, or waits for it: it says on standard output what
// happens. Its work is to write its name and a number into a ConfigMap, as fast as the API server lets it.
import { connect } from '../../src/kube/connection.ts'
import { keepLease } from '../../src/kube/lease.ts'
import { createWriter } from '../../src/kube/writer.ts'

const [kubeconfig = '', identity = ''] = process.argv.slice(2)
const say = (what: object) => void process.stdout.write(`${JSON.stringify({ identity, at: Date.now(), ...what })}\n`)
const log = (fields: object, message: string) => say({ log: message, ...fields })

const [own, connection] = await Promise.all([connect(kubeconfig, {}), connect(kubeconfig, {})])
let count = 0
const lease = keepLease({
  connection: own,
  namespace: 'default',
  name: 'portcullis',
  identity,
  log: { info: log, warn: log, error: log },
  onChange: isLeader => say({ isLeader }),
  async work({ signal, holds }) {
    const writer = createWriter(connection, { signal, mayWrite: holds })
    while (!signal.aborted) {
      const metadata = { namespace: 'default', name: 'work' }
      const data = { by: identity, count: String(++count) }
      await writer.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
    }
    say({ ended: count })
  },
})

process.once('SIGTERM', async () => {
  await lease.stop()
  own.close()
  connection.close()
})
say({ started: true })
