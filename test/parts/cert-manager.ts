// cert-manager for a control plane, as whoever the kubeconfig says.
import type { PartName } from './catalogue.ts'
import type { ControlPlane } from './control-plane.ts'
import { programAt } from './locate.ts'
import { type RunningPart, startPart } from './process.ts'

export const certManagerParts = ['cert-manager', 'cert-manager-crds'] as const satisfies readonly PartName[]

/** The one that sets caBundle, or those that issue certificates. Its definitions have to be there. */
export const startCertManager = (
  { dir }: Pick<ControlPlane, 'dir'>,
  which: 'cainjector' | 'controller',
  kubeconfig: string,
): Promise<RunningPart> =>
  startPart({
    name: `cert-manager-${which}`,
    command: programAt('cert-manager'),
    args: [which, kubeconfig],
    dir,
    // It has no port: what it does is seen in the objects.
    ready: async () => true,
  })
