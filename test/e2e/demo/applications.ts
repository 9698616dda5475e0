// The two applications of the demo, one of each team.
import type { KubeObject } from '../../../src/core/types.ts'
import { applied } from '../../integration/objects.ts'
import type { RouteKindOnStage } from '../stage/route-kinds.ts'
import type { Stage } from '../stage/stage.ts'

export type DemoApplication = {
  readonly team: string
  readonly namespace: string
  readonly url: string
  readonly route: KubeObject
}

const NAMES = ['prometheus', 'cart']

export async function startApplications(stage: Stage, kind: RouteKindOnStage): Promise<DemoApplication[]> {
  const started: DemoApplication[] = []
  for (const [index, { options }] of stage.teams.entries()) {
    const { namespace, domain, name: team } = options
    const name = NAMES[index] ?? `application-${index}`
    const host = `${name}.${domain}`
    const route = kind.route({ namespace, name, host, service: name, port: 80 })
    await stage.startApplication(namespace, name)
    await applied(stage.cluster.controlPlane, route)
    started.push({ team, namespace, url: `https://${host}/`, route })
  }
  return started
}
