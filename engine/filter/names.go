package filter

import "strings"

// keywords maps every reserved word to its canonical form.
var keywords = func() map[string]string {
	m := map[string]string{}
	for _, w := range strings.Fields(`
		and or not
		ether ip ip6 arp rarp tcp udp sctp icmp icmp6 igmp igrp pim vrrp carp ah esp radio
		atalk aarp decnet lat sca moprc mopdl iso esis isis clnp stp ipx netbeui
		l1 l2 iih lsp snp csnp psnp
		src dst addr1 addr2 addr3 addr4 ra ta
		host net port portrange proto protochain gateway mask
		type subtype dir less greater byte broadcast multicast len
		inbound outbound ifindex vlan mpls pppoed pppoes geneve vxlan llc
		lane metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic vpi vci connectmsg metaconnect
		ifname rset rnr srnr reason action
		fisu lssu msu hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls`) {
		m[w] = w
	}
	for _, pair := range strings.Fields(`
		link=ether ppp=ether slip=ether fddi=ether tr=ether wlan=ether es-is=esis is-is=isis
		length=len direction=dir address1=addr1 address2=addr2 address3=addr3 address4=addr4
		on=ifname ruleset=rset rulenum=rnr subrulenum=srnr lsu=lssu`) {
		w, canon, _ := strings.Cut(pair, "=")
		m[w] = canon
	}
	return m
}()

// set makes a set of the words in s.
func set(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

var (
	protocols = set(`ether ip ip6 arp rarp tcp udp sctp icmp icmp6 igmp igrp pim vrrp carp ah esp radio
		atalk aarp decnet lat sca moprc mopdl iso esis isis clnp stp ipx netbeui l1 l2 iih lsp snp csnp psnp`)
	wlanDirections = set("addr1 addr2 addr3 addr4 ra ta")
	addressTypes   = set("host net port portrange")

	// otherMedia are primitives of links we have no frames of.
	otherMedia = func() map[string]string {
		m := map[string]string{}
		for w := range set("lane metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic vpi vci connectmsg metaconnect") {
			m[w] = "ATM"
		}
		for w := range set("ifname rset rnr srnr reason action") {
			m[w] = "OpenBSD pflog"
		}
		for w := range set("fisu lssu msu hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls") {
			m[w] = "SS7 MTP"
		}
		return m
	}()
)

// constants are words that stand for numbers.
var constants = map[string]uint32{
	"tcpflags": 13, "icmptype": 0, "icmpcode": 1, "icmp6type": 0, "icmp6code": 1,
	// RFC 9293 §3.1, RFC 3168 §6.1
	"tcp-fin": 0x01, "tcp-syn": 0x02, "tcp-rst": 0x04, "tcp-push": 0x08, "tcp-ack": 0x10, "tcp-urg": 0x20, "tcp-ece": 0x40, "tcp-cwr": 0x80,
	// RFC 792, 950, 1256
	"icmp-echoreply": 0, "icmp-unreach": 3, "icmp-sourcequench": 4, "icmp-redirect": 5, "icmp-echo": 8,
	"icmp-routeradvert": 9, "icmp-routersolicit": 10, "icmp-timxceed": 11, "icmp-paramprob": 12,
	"icmp-tstamp": 13, "icmp-tstampreply": 14, "icmp-ireq": 15, "icmp-ireqreply": 16, "icmp-maskreq": 17, "icmp-maskreply": 18,
	// RFC 4443, 4861 and the IANA registry of ICMPv6 types
	"icmp6-destinationunreach": 1, "icmp6-packettoobig": 2, "icmp6-timeexceeded": 3, "icmp6-parameterproblem": 4,
	"icmp6-echo": 128, "icmp6-echoreply": 129, "icmp6-multicastlistenerquery": 130, "icmp6-multicastlistenerreportv1": 131,
	"icmp6-multicastlistenerdone": 132, "icmp6-routersolicit": 133, "icmp6-routeradvert": 134, "icmp6-neighborsolicit": 135,
	"icmp6-neighboradvert": 136, "icmp6-redirect": 137, "icmp6-routerrenum": 138, "icmp6-nodeinformationquery": 139,
	"icmp6-nodeinformationresponse": 140, "icmp6-ineighbordiscoverysolicit": 141, "icmp6-ineighbordiscoveryadvert": 142,
	"icmp6-multicastlistenerreportv2": 143, "icmp6-homeagentdiscoveryrequest": 144, "icmp6-homeagentdiscoveryreply": 145,
	"icmp6-mobileprefixsolicit": 146, "icmp6-mobileprefixadvert": 147, "icmp6-certpathsolicit": 148, "icmp6-certpathadvert": 149,
	"icmp6-multicastrouteradvert": 151, "icmp6-multicastroutersolicit": 152, "icmp6-multicastrouterterm": 153,
}

// Ether types and 802.2 service access points under the names that
// "ether proto" takes.
const (
	etherIP, etherARP, etherRARP, etherIPv6              = 0x0800, 0x0806, 0x8035, 0x86dd
	etherVLAN, etherQinQ, etherQinQOld                   = 0x8100, 0x88a8, 0x9100
	etherMPLS, etherPPPoED, etherPPPoES                  = 0x8847, 0x8863, 0x8864
	etherMOPDL, etherMOPRC, etherDECnet, etherLAT        = 0x6001, 0x6002, 0x6003, 0x6004
	etherSCA, etherLoopback, etherTEB                    = 0x6007, 0x9000, 0x6558
	etherATALK, etherAARP, etherIPX                      = 0x809b, 0x80f3, 0x8137
	sapIP, sapSTP, sapIPX, sapNetBEUI, sapISO            = 0x06, 0x42, 0xe0, 0xf0, 0xfe
	isoCLNP, isoESIS, isoISIS                            = 0x81, 0x82, 0x83
	protoICMP, protoIGMP, protoTCP, protoIGRP            = 1, 2, 6, 9
	protoUDP, protoESP, protoAH, protoICMPv6             = 17, 50, 51, 58
	protoPIM, protoVRRP, protoSCTP                       = 103, 112, 132
	nextHopByHop, nextRouting, nextFragment              = 0, 43, 44
	nextDestination, nextNone                            = 60, 59
	etherMaxLength                                uint32 = 1500 // in the type field: not a type but a length (802.3)
)

var etherTypes = map[string]uint32{
	"aarp": etherAARP, "arp": etherARP, "atalk": etherATALK, "decnet": etherDECnet, "ip": etherIP, "ip6": etherIPv6,
	"lat": etherLAT, "lldp": 0x88cc, "loopback": etherLoopback, "mopdl": etherMOPDL, "moprc": etherMOPRC, "rarp": etherRARP,
	"sca": etherSCA, "slow": 0x8809, "iso": sapISO, "stp": sapSTP, "ipx": sapIPX, "netbeui": sapNetBEUI,
}

var isoTypes = map[string]uint32{"clnp": isoCLNP, "esis": isoESIS, "isis": isoISIS}

// ipProtocols are the names of the IANA registry of protocol numbers, lower
// case, in the spelling of the usual /etc/protocols.
var ipProtocols = map[string]uint32{
	"ip": 0, "hopopt": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "st": 5, "tcp": 6, "egp": 8, "igp": 9, "pup": 12, "udp": 17, "hmp": 20,
	"xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "ipv6": 41, "ipv6-route": 43,
	"ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "skip": 57, "ipv6-icmp": 58, "ipv6-nonxt": 59,
	"ipv6-opts": 60, "rspf": 73, "vmtp": 81, "eigrp": 88, "ospf": 89, "ax.25": 93, "ipip": 94, "etherip": 97, "encap": 98,
	"pim": 103, "ipcomp": 108, "vrrp": 112, "l2tp": 115, "isis": 124, "sctp": 132, "fc": 133, "mobility-header": 135,
	"udplite": 136, "mpls-in-ip": 137, "manet": 138, "hip": 139, "shim6": 140, "wesp": 141, "rohc": 142, "ethernet": 143,
}

// LLC types of "llc", IEEE 802.2 §5.4. Supervisory and unnumbered PDUs are
// told apart by their mask.
var (
	llcSupervisory = map[string]uint32{"rr": 0x01, "rnr": 0x05, "rej": 0x09}
	llcUnnumbered  = map[string]uint32{"ui": 0x03, "ua": 0x63, "disc": 0x43, "dm": 0x0f, "test": 0xe3, "sabme": 0x6f, "xid": 0xaf, "frmr": 0x87}
)

// Frame control of 802.11, IEEE 802.11 §9.2.4.1: type in bits 2-3, subtype in
// bits 4-7 of the first octet, direction in bits 0-1 of the second.
var (
	wlanTypes    = map[string]uint32{"mgt": 0x00, "ctl": 0x04, "data": 0x08}
	wlanSubtypes = map[uint32]map[string]uint32{
		0x00: {"assocreq": 0x00, "assoc-req": 0x00, "assocresp": 0x10, "assoc-resp": 0x10, "reassocreq": 0x20, "reassoc-req": 0x20,
			"reassocresp": 0x30, "reassoc-resp": 0x30, "probereq": 0x40, "probe-req": 0x40, "proberesp": 0x50, "probe-resp": 0x50,
			"beacon": 0x80, "atim": 0x90, "disassoc": 0xa0, "disassociation": 0xa0, "auth": 0xb0, "authentication": 0xb0,
			"deauth": 0xc0, "deauthentication": 0xc0},
		0x04: {"ps-poll": 0xa0, "rts": 0xb0, "cts": 0xc0, "ack": 0xd0, "cf-end": 0xe0, "cf-end-ack": 0xf0},
		0x08: {"data": 0x00, "data-cf-ack": 0x10, "data-cf-poll": 0x20, "data-cf-ack-poll": 0x30, "null": 0x40, "cf-ack": 0x50,
			"cf-poll": 0x60, "cf-ack-poll": 0x70, "qos-data": 0x80, "qos-data-cf-ack": 0x90, "qos-data-cf-poll": 0xa0,
			"qos-data-cf-ack-poll": 0xb0, "qos": 0xc0, "qos-cf-poll": 0xe0, "qos-cf-ack-poll": 0xf0},
	}
	wlanDirs = map[string]uint32{"nods": 0, "tods": 1, "fromds": 2, "dstods": 3}
)

// namesOf calls f with every name of the tables.
func namesOf(tables ...map[string]uint32) func(func(string)) {
	return func(f func(string)) {
		for _, t := range tables {
			for w := range t {
				f(w)
			}
		}
	}
}

func keywordNames(f func(string)) {
	for w := range keywords {
		if otherMedia[w] == "" {
			f(w)
		}
	}
}
