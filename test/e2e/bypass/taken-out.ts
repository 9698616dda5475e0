// A cluster without Portcullis: what it has made stays, and nobody refuses or repairs anything any more.
import { until } from '../../integration/api.ts'
import { succeeds } from '../../integration/objects.ts'
import type { RouteKindOnStage } from '../stage/route-kinds.ts'
import type { Stage } from '../stage/stage.ts'
import { ELSEWHERE, labelled } from './ground.ts'

export async function takeOut({ cluster, domain }: Stage, { route }: RouteKindOnStage): Promise<void> {
  await cluster.portcullis.controller.kill()
  const kinds = 'validatingadmissionpolicybindings,validatingwebhookconfigurations,mutatingwebhookconfigurations'
  await succeeds(cluster.controlPlane, ['delete', kinds, '-l', 'app.kubernetes.io/name=portcullis'])
  // The API server learns of it a moment later: a policy would speak on the first of these, the webhook on the second.
  const backend = { name: 'probe', host: `probe.team-a.${domain}`, service: 'none', port: 80 }
  for (const each of [
    route({ ...backend, namespace: ELSEWHERE }),
    labelled(route({ ...backend, namespace: ELSEWHERE })),
  ]) {
    const isAdmitted = async () => (await cluster.api.create(each, undefined, '?dryRun=All')).status === 201
    await until('nobody is asked', isAdmitted)
  }
}
