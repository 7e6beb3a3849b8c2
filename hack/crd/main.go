// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

// crd-apiserver is Kubernetes' apiextensions-apiserver by itself: an API server
// that serves CustomResourceDefinitions and their objects and nothing else.
// It asks no core API server: a client is known by its certificate, and the
// group system:masters may do everything.  It adds the root discovery
// documents (/api and /apis) that kubectl and client libraries begin with.
package main

import (
	"encoding/json"
	"net/http"
	"os"
	"sort"
	"time"

	"github.com/spf13/pflag"
	noop "go.opentelemetry.io/otel/trace/noop"
	"k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	generatedopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	aggregated "k8s.io/apiserver/pkg/endpoints/discovery/aggregated"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/apiserver/pkg/util/openapi"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
)

func must(err error) {
	if err != nil {
		klog.ErrorS(err, "cannot start")
		os.Exit(1)
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func main() {
	o := options.NewCustomResourceDefinitionsServerOptions(os.Stdout, os.Stderr)
	r := o.RecommendedOptions
	r.Authentication, r.Authorization, r.CoreAPI, r.Admission = nil, nil, nil, nil
	r.Features.EnablePriorityAndFairness = false
	clientCA := pflag.String("client-ca-file", "", "certificates that client certificates are checked against")
	o.AddFlags(pflag.CommandLine)
	pflag.Parse()
	must(o.ServerRunOptions.ComponentGlobalsRegistry.Set())
	must(o.Complete())
	must(o.Validate())

	// As options.Config does, less what needs a core API server.
	generic := genericapiserver.NewRecommendedConfig(apiserver.Codecs)
	must(o.ServerRunOptions.ApplyTo(&generic.Config))
	must(r.ApplyTo(generic))
	must(o.APIEnablement.ApplyTo(&generic.Config, apiserver.DefaultAPIResourceConfigSource(), apiserver.Scheme))
	ca, err := dynamiccertificates.NewDynamicCAContentFromFile("client-ca", *clientCA)
	must(err)
	must(generic.Authentication.ApplyClientCert(ca, generic.SecureServing))
	generic.Authentication.Authenticator, _, err = authenticatorfactory.DelegatingAuthenticatorConfig{
		CacheTTL: time.Minute, ClientCertificateCAContentProvider: ca,
	}.New()
	must(err)
	generic.Authorization.Authorizer = authorizerfactory.NewPrivilegedGroups("system:masters")
	definitions := openapi.GetOpenAPIDefinitionsWithoutDisabledFeatures(generatedopenapi.GetOpenAPIDefinitions)
	namer := openapinamer.NewDefinitionNamer(apiserver.Scheme, scheme.Scheme)
	generic.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(definitions, namer)
	generic.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(definitions, namer)
	generic.SharedInformerFactory = informers.NewSharedInformerFactory(fake.NewSimpleClientset(), 0) // of an empty cluster

	config := &apiserver.Config{GenericConfig: generic, ExtraConfig: apiserver.ExtraConfig{
		CRDRESTOptionsGetter: options.NewCRDRESTOptionsGetter(*r.Etcd, generic.ResourceTransformers, generic.StorageObjectCountTracker),
		ServiceResolver:      webhook.NewDefaultServiceResolver(),
		AuthResolverWrapper:  webhook.NewDefaultAuthenticationInfoResolverWrapper(nil, nil, generic.LoopbackClientConfig, noop.NewTracerProvider()),
	}}
	server, err := config.Complete().New(genericapiserver.NewEmptyDelegate())
	must(err)

	// Root discovery, which is an aggregating server's work otherwise.
	crds := server.Informers.Apiextensions().V1().CustomResourceDefinitions().Lister()
	groups := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		versions := map[string]map[string]bool{"apiextensions.k8s.io": {"v1": true}}
		all, _ := crds.List(labels.Everything())
		for _, crd := range all {
			for _, v := range crd.Spec.Versions {
				if v.Served {
					if versions[crd.Spec.Group] == nil {
						versions[crd.Spec.Group] = map[string]bool{}
					}
					versions[crd.Spec.Group][v.Name] = true
				}
			}
		}
		list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
		for group, vs := range versions {
			g := metav1.APIGroup{Name: group}
			for v := range vs {
				g.Versions = append(g.Versions, metav1.GroupVersionForDiscovery{GroupVersion: group + "/" + v, Version: v})
			}
			sort.Slice(g.Versions, func(i, j int) bool {
				return version.CompareKubeAwareVersionStrings(g.Versions[i].Version, g.Versions[j].Version) > 0
			})
			g.PreferredVersion = g.Versions[0]
			list.Groups = append(list.Groups, g)
		}
		sort.Slice(list.Groups, func(i, j int) bool { return list.Groups[i].Name < list.Groups[j].Name })
		reply(w, list)
	})
	mux := server.GenericAPIServer.Handler.NonGoRestfulMux
	mux.Unregister("/apis")
	mux.Handle("/apis", aggregated.WrapAggregatedDiscoveryToHandler(groups, server.GenericAPIServer.AggregatedDiscoveryGroupManager, nil))
	mux.Handle("/api", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{}})
	}))
	must(server.GenericAPIServer.PrepareRun().RunWithContext(genericapiserver.SetupSignalContext()))
}
