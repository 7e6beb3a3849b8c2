// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

// cluster-dns answers a cluster's DNS names out of its API server, following
// the "Kubernetes DNS-Based Service Discovery" names: A, SRV and PTR records
// of Services (with a cluster IP or headless), A records of Pods by address,
// and names given on the command line.  It asks no other server: every name
// that it does not hold does not exist.
//
// It is built inside the Kubernetes tree, with that tree's vendored client-go
// and miekg/dns.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const ttl = 5

type server struct {
	domain    string              // "cluster.local."
	hosts     map[string][]net.IP // names given on the command line
	services  listers.ServiceLister
	endpoints listers.EndpointsLister
	byIP      func(ip string) []string // names that a PTR answers
}

// target is one address that a name stands for.
type target struct {
	ip   net.IP
	name string // the full name of that one address, for SRV and PTR
}

// service finds the addresses of service.namespace, or, with a host, of the
// one endpoint so named, and the ports that are named.
func (s *server) service(namespace, name, host string) (found bool, targets []target, ports []corev1.ServicePort) {
	svc, err := s.services.Services(namespace).Get(name)
	if err != nil {
		return false, nil, nil
	}
	base := name + "." + namespace + ".svc." + s.domain
	if svc.Spec.Type == corev1.ServiceTypeExternalName {
		return true, nil, nil
	}
	if svc.Spec.ClusterIP != "None" && host == "" {
		return true, []target{{net.ParseIP(svc.Spec.ClusterIP), base}}, svc.Spec.Ports
	}
	eps, err := s.endpoints.Endpoints(namespace).Get(name)
	if err != nil {
		return host == "", nil, nil
	}
	for _, subset := range eps.Subsets {
		addresses := subset.Addresses
		if svc.Spec.PublishNotReadyAddresses {
			addresses = append(append([]corev1.EndpointAddress(nil), addresses...), subset.NotReadyAddresses...)
		}
		for _, a := range addresses {
			label := a.Hostname
			if label == "" {
				label = strings.NewReplacer(".", "-", ":", "-").Replace(a.IP)
			}
			if host == "" || host == label {
				targets = append(targets, target{net.ParseIP(a.IP), label + "." + base})
			}
		}
		for _, p := range subset.Ports {
			ports = append(ports, corev1.ServicePort{Name: p.Name, Port: p.Port, Protocol: p.Protocol})
		}
	}
	return host == "" || len(targets) > 0, targets, ports
}

// lookup answers one question.  found tells a name without records of the
// type that was asked for from a name that does not exist.
func (s *server) lookup(q dns.Question) (found bool, answers, extra []dns.RR) {
	name := strings.ToLower(q.Name)
	header := func(name string, t uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: t, Class: dns.ClassINET, Ttl: ttl}
	}
	addresses := func(name string, targets []target) (rrs []dns.RR) {
		for _, t := range targets {
			if ip4 := t.ip.To4(); ip4 != nil {
				rrs = append(rrs, &dns.A{Hdr: header(name, dns.TypeA), A: ip4})
			}
		}
		return
	}
	if ips, ok := s.hosts[name]; ok {
		for _, ip := range ips {
			answers = append(answers, addresses(q.Name, []target{{ip: ip}})...)
		}
		return true, ofType(answers, q.Qtype), nil
	}
	if strings.HasSuffix(name, ".in-addr.arpa.") {
		labels := dns.SplitDomainName(strings.TrimSuffix(name, ".in-addr.arpa."))
		if len(labels) != 4 {
			return false, nil, nil
		}
		ip := fmt.Sprintf("%s.%s.%s.%s", labels[3], labels[2], labels[1], labels[0])
		for _, n := range s.byIP(ip) {
			answers = append(answers, &dns.PTR{Hdr: header(q.Name, dns.TypePTR), Ptr: n})
		}
		return len(answers) > 0, ofType(answers, q.Qtype), nil
	}
	if name == s.domain || name == "svc."+s.domain || name == "pod."+s.domain {
		return true, nil, nil
	}
	if !strings.HasSuffix(name, "."+s.domain) {
		return false, nil, nil
	}
	// Read the labels from the right: kind, namespace, service, rest.
	l := dns.SplitDomainName(strings.TrimSuffix(name, "."+s.domain))
	n := len(l)
	switch {
	case n == 3 && l[2] == "pod":
		ip := net.ParseIP(strings.ReplaceAll(l[0], "-", "."))
		if ip == nil {
			return false, nil, nil
		}
		return true, ofType(addresses(q.Name, []target{{ip: ip}}), q.Qtype), nil
	case n == 3 && l[2] == "svc", n == 4 && l[3] == "svc":
		host := ""
		if n == 4 {
			host = l[0]
		}
		found, targets, ports := s.service(l[n-2], l[n-3], host)
		if q.Qtype == dns.TypeSRV && host == "" {
			for _, t := range targets {
				for _, p := range ports {
					answers = append(answers, &dns.SRV{Hdr: header(q.Name, dns.TypeSRV), Weight: 100, Port: uint16(p.Port), Target: t.name})
				}
				extra = append(extra, addresses(t.name, []target{t})...)
			}
			return found, answers, extra
		}
		return found, ofType(addresses(q.Name, targets), q.Qtype), nil
	case n == 5 && l[4] == "svc" && strings.HasPrefix(l[0], "_") && strings.HasPrefix(l[1], "_"):
		_, targets, ports := s.service(l[3], l[2], "")
		for _, p := range ports {
			if "_"+strings.ToLower(p.Name) != l[0] || "_"+strings.ToLower(string(p.Protocol)) != l[1] {
				continue
			}
			for _, t := range targets {
				answers = append(answers, &dns.SRV{Hdr: header(q.Name, dns.TypeSRV), Weight: 100, Port: uint16(p.Port), Target: t.name})
				extra = append(extra, addresses(t.name, []target{t})...)
			}
		}
		return len(answers) > 0, ofType(answers, q.Qtype), extra
	}
	return false, nil, nil
}

func ofType(rrs []dns.RR, t uint16) (out []dns.RR) {
	for _, rr := range rrs {
		if rr.Header().Rrtype == t || t == dns.TypeANY {
			out = append(out, rr)
		}
	}
	return
}

func (s *server) ServeDNS(w dns.ResponseWriter, r *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(r)
	m.Authoritative, m.RecursionAvailable = true, true
	if len(r.Question) != 1 {
		m.Rcode = dns.RcodeFormatError
	} else {
		var found bool
		found, m.Answer, m.Extra = s.lookup(r.Question[0])
		if !found {
			m.Rcode = dns.RcodeNameError
		}
		if len(m.Answer) == 0 {
			m.Ns = []dns.RR{&dns.SOA{
				Hdr: dns.RR_Header{Name: s.domain, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
				Ns:  "ns.dns." + s.domain, Mbox: "hostmaster." + s.domain, Serial: uint32(time.Now().Unix()),
				Refresh: 7200, Retry: 1800, Expire: 86400, Minttl: ttl,
			}}
		}
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		size := dns.MinMsgSize
		if o := r.IsEdns0(); o != nil {
			size = int(o.UDPSize())
		}
		if m.Len() > size { // the client asks again over TCP
			m.Truncated, m.Answer, m.Extra = true, nil, nil
		}
	}
	w.WriteMsg(m)
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig")
	listen := flag.String("listen", "127.0.0.1:53", "address to serve DNS on, UDP and TCP")
	health := flag.String("health", "127.0.0.1:8053", "address to serve /healthz on")
	domain := flag.String("domain", "cluster.local", "the cluster's domain")
	hosts := flag.String("hosts", "", "further names: name=address,...")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	factory := informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(config), 0)
	services, endpoints := factory.Core().V1().Services(), factory.Core().V1().Endpoints()
	s := &server{domain: *domain + ".", hosts: map[string][]net.IP{}, services: services.Lister(), endpoints: endpoints.Lister()}
	for _, pair := range strings.Split(*hosts, ",") {
		if i := strings.Index(pair, "="); i > 0 {
			s.hosts[pair[:i]+"."] = append(s.hosts[pair[:i]+"."], net.ParseIP(pair[i+1:]))
		}
	}
	s.byIP = func(ip string) (names []string) {
		all, _ := s.services.List(labels.Everything())
		for _, svc := range all {
			if _, targets, _ := s.service(svc.Namespace, svc.Name, ""); targets != nil {
				for _, t := range targets {
					if t.ip.String() == ip {
						names = append(names, t.name)
					}
				}
			}
		}
		return
	}
	stop := make(chan struct{})
	synced := []cache.InformerSynced{services.Informer().HasSynced, endpoints.Informer().HasSynced}
	factory.Start(stop)
	if !cache.WaitForCacheSync(stop, synced...) {
		log.Fatal("no data from the API server")
	}
	for _, network := range []string{"udp", "tcp"} {
		go func(network string) {
			log.Fatal((&dns.Server{Addr: *listen, Net: network, Handler: s}).ListenAndServe())
		}(network)
	}
	log.Printf("serving %s on %s", s.domain, *listen)
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	log.Fatal(http.ListenAndServe(*health, nil))
}
