/**
 * Fields of the public API that the stand-in knows, by type: `type name` where the value is of a type
 * that is checked too. From the reference of Kubernetes 1.33; anything else is an unknown field.
 */
const source: Record<string, string> = {
  Pod: 'apiVersion kind metadata:ObjectMeta spec:PodSpec status',
  Secret: 'apiVersion kind metadata:ObjectMeta type immutable data stringData',
  ObjectMeta:
    'name namespace labels annotations uid resourceVersion ownerReferences:OwnerReference finalizers generateName creationTimestamp',
  OwnerReference: 'apiVersion kind name uid controller blockOwnerDeletion',
  PodSpec:
    'activeDeadlineSeconds affinity automountServiceAccountToken containers:Container dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork hostPID hostUsers hostname imagePullSecrets:Named initContainers:Container nodeName nodeSelector os overhead preemptionPolicy priority priorityClassName readinessGates resourceClaims resources restartPolicy runtimeClassName schedulerName schedulingGates securityContext:PodSecurityContext serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations:Toleration topologySpreadConstraints volumes:Volume',
  Container:
    'args command env:EnvVar envFrom image imagePullPolicy lifecycle livenessProbe name ports:Port readinessProbe resizePolicy resources:Resources restartPolicy securityContext:SecurityContext startupProbe:Probe stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts:VolumeMount workingDir',
  EnvVar: 'name value valueFrom:EnvVarSource',
  EnvVarSource: 'configMapKeyRef fieldRef resourceFieldRef secretKeyRef:SecretKeyRef',
  SecretKeyRef: 'name key optional',
  Named: 'name',
  Port: 'containerPort hostIP hostPort name protocol',
  Probe:
    'exec failureThreshold grpc httpGet initialDelaySeconds periodSeconds successThreshold tcpSocket terminationGracePeriodSeconds timeoutSeconds',
  Resources: 'claims limits requests',
  PodSecurityContext:
    'appArmorProfile fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser seLinuxChangePolicy seLinuxOptions seccompProfile supplementalGroups supplementalGroupsPolicy sysctls windowsOptions',
  SecurityContext:
    'allowPrivilegeEscalation appArmorProfile capabilities privileged procMount readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser seLinuxOptions seccompProfile windowsOptions',
  Toleration: 'effect key operator tolerationSeconds value',
  VolumeMount: 'mountPath mountPropagation name readOnly recursiveReadOnly subPath subPathExpr',
  Volume:
    'configMap csi downwardAPI emptyDir:EmptyDir ephemeral:Ephemeral hostPath:HostPath image iscsi name nfs persistentVolumeClaim projected secret',
  EmptyDir: 'medium sizeLimit',
  HostPath: 'path type',
  Ephemeral: 'volumeClaimTemplate:ClaimTemplate',
  ClaimTemplate: 'metadata spec:ClaimSpec',
  ClaimSpec:
    'accessModes dataSource dataSourceRef resources:Resources selector storageClassName volumeAttributesClassName volumeMode volumeName',
};

const types = new Map(
  Object.entries(source).map(([type, text]) => [
    type,
    new Map(text.split(' ').map((entry) => [entry.split(':')[0], entry.split(':')[1]])),
  ]),
);

/** The fields of a value that its type does not have, each with its path. */
export function unknownFields(type: string, value: unknown, path = ''): string[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => unknownFields(type, item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  const fields = types.get(type);
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = path === '' ? name : `${path}.${name}`;
    if (!fields?.has(name)) return [here];
    const innerType = fields.get(name);
    return innerType === undefined ? [] : unknownFields(innerType, inner, here);
  });
}
