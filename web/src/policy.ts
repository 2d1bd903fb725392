/** The policy-controlled feature "webnn". */

const FEATURE = 'webnn';

interface FeaturePolicy {
  features(): string[];
  allowsFeature(feature: string): boolean;
}

let allowed: boolean | undefined;

/**
 * Throws a `SecurityError` where the document may not use the feature. Only a browser that knows the
 * feature can tell; a policy is fixed for the life of its document, so it is asked once.
 */
export function requirePolicy(): void {
  allowed ??= isAllowed();
  if (!allowed) {
    throw new DOMException(
      `the permissions policy of this document does not allow "${FEATURE}"; ` +
        `a cross-origin frame needs allow="${FEATURE}"`,
      'SecurityError',
    );
  }
}

function isAllowed(): boolean {
  if (typeof document === 'undefined') return true;
  const { permissionsPolicy, featurePolicy } = document as {
    permissionsPolicy?: FeaturePolicy;
    featurePolicy?: FeaturePolicy;
  };
  const policy = permissionsPolicy ?? featurePolicy;
  if (policy === undefined || !policy.features().includes(FEATURE)) return true;
  return policy.allowsFeature(FEATURE);
}
