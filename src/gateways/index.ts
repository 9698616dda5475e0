// The gateways that Portcullis knows. Adding one is a folder, a line here and its goldens.
import type { GatewayKind } from '../core/types.ts'
import { envoyGateway } from './envoy-gateway/index.ts'
import { ingressNginx } from './ingress-nginx/index.ts'
import { traefik } from './traefik/index.ts'

export const gateways: readonly GatewayKind[] = [ingressNginx, traefik, envoyGateway]
