# What the generator draws from: cities, people's names, goods. No randomness
# and no output lives here.
package Catalogue;
use strict;
use warnings;
use utf8;
use Exporter 'import';
our @EXPORT_OK = qw(@CITIES @SURNAMES @GIVEN %PINYIN @CATEGORIES @WAREHOUSES);

# City, region, longitude and latitude of its centre (WGS84), weight (urban
# population in 100,000).
our @CITIES = map { [split /\|/] } split /\n/, <<'END';
Shanghai|Shanghai|121.4737|31.2304|248
Beijing|Beijing|116.4074|39.9042|219
Guangzhou|Guangdong|113.2644|23.1291|187
Shenzhen|Guangdong|114.0579|22.5431|176
Chengdu|Sichuan|104.0668|30.5728|165
Chongqing|Chongqing|106.5516|29.5630|160
Tianjin|Tianjin|117.2010|39.0842|113
Wuhan|Hubei|114.3055|30.5928|109
Hangzhou|Zhejiang|120.1551|30.2741|107
Xi'an|Shaanxi|108.9398|34.3416|103
Suzhou|Jiangsu|120.5853|31.2990|96
Dongguan|Guangdong|113.7518|23.0207|95
Zhengzhou|Henan|113.6254|34.7466|91
Foshan|Guangdong|113.1214|23.0215|89
Nanjing|Jiangsu|118.7969|32.0603|85
Changsha|Hunan|112.9388|28.2282|76
Shenyang|Liaoning|123.4315|41.8057|73
Qingdao|Shandong|120.3826|36.1050|72
Jinan|Shandong|117.1201|36.6512|66
Kunming|Yunnan|102.8329|24.8801|60
Hefei|Anhui|117.2272|31.8206|60
Harbin|Heilongjiang|126.6424|45.7560|59
Shijiazhuang|Hebei|114.5149|38.0428|56
Dalian|Liaoning|121.6000|38.9300|52
Xiamen|Fujian|118.1100|24.5100|48
Taiyuan|Shanxi|112.5489|37.8706|45
Fuzhou|Fujian|119.2965|26.0745|44
Nanning|Guangxi|108.3669|22.8170|43
Changchun|Jilin|125.3235|43.8171|43
Nanchang|Jiangxi|115.8579|28.6820|40
Ningbo|Zhejiang|121.5440|29.8683|40
Guiyang|Guizhou|106.6302|26.6470|38
Wuxi|Jiangsu|120.3119|31.4912|37
Urumqi|Xinjiang|87.6168|43.8256|36
Lanzhou|Gansu|103.8343|36.0611|31
Wenzhou|Zhejiang|120.6500|27.9940|30
Changzhou|Jiangsu|119.9741|31.8112|29
Hohhot|Inner Mongolia|111.7492|40.8426|25
Haikou|Hainan|110.3312|20.0220|23
Quanzhou|Fujian|118.5894|24.9139|22
Yinchuan|Ningxia|106.2309|38.4872|15
Xining|Qinghai|101.7782|36.6171|15
Lhasa|Tibet|91.1409|29.6456|5
END

our @WAREHOUSES = (
	['W1', 'Warehouse Shanghai', 'Shanghai', 'Shanghai', 121.2600, 31.3800],
	['W2', 'Warehouse Guangzhou', 'Guangzhou', 'Guangdong', 113.2700, 23.2900],
	['W3', 'Warehouse Chengdu', 'Chengdu', 'Sichuan', 104.2500, 30.5600],
);

# Surnames by frequency, given-name characters, and how both are spelled in
# Latin letters (for e-mail addresses and for accounts kept in pinyin).
our @SURNAMES = qw(王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 高 罗 郑 梁 谢 宋 唐 许 韩 冯 邓 曹 彭 曾 肖 田 董 潘 袁 蔡 蒋 余);
our @GIVEN = qw(伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 涛 明 超 霞 平 刚 桂 英 华 玉 兰 红 梅 建 国 文 志 海 燕 雪 琳 晨 宇 浩 欣 怡 嘉 俊 鑫 博 思 雨 子 轩 梓 涵 佳);
our %PINYIN = (qw(
	王 wang 李 li 张 zhang 刘 liu 陈 chen 杨 yang 黄 huang 赵 zhao 吴 wu 周 zhou 徐 xu 孙 sun 马 ma 朱 zhu 胡 hu
	郭 guo 何 he 林 lin 高 gao 罗 luo 郑 zheng 梁 liang 谢 xie 宋 song 唐 tang 许 xu 韩 han 冯 feng 邓 deng 曹 cao
	彭 peng 曾 zeng 肖 xiao 田 tian 董 dong 潘 pan 袁 yuan 蔡 cai 蒋 jiang 余 yu
	伟 wei 芳 fang 娜 na 敏 min 静 jing 丽 li 强 qiang 磊 lei 军 jun 洋 yang 勇 yong 艳 yan 杰 jie 涛 tao 明 ming
	超 chao 霞 xia 平 ping 刚 gang 桂 gui 英 ying 华 hua 玉 yu 兰 lan 红 hong 梅 mei 建 jian 国 guo 文 wen 志 zhi
	海 hai 燕 yan 雪 xue 琳 lin 晨 chen 宇 yu 浩 hao 欣 xin 怡 yi 嘉 jia 俊 jun 鑫 xin 博 bo 思 si 雨 yu 子 zi
	轩 xuan 梓 zi 涵 han 佳 jia));

# Category, share of lines, median price in yuan, share of its lines bought
# online, goods; each good is made in the variants that follow.
our @CATEGORIES = (
	['Tea and coffee', 20, 48, 0.42, [qw(oolong jasmine pu'er longjing tieguanyin dark-roast light-roast decaf drip-bag)], [qw(50g 100g 250g 500g gift-box sampler refill)]],
	['Snacks', 18, 22, 0.36, [qw(almonds cashews dried-mango rice-crackers sesame-bar dark-chocolate seaweed pistachios mooncake)], [qw(small medium large family mixed spicy salted)]],
	['Kitchen', 13, 96, 0.50, [qw(teapot mug thermos wok knife cutting-board kettle bento-box chopsticks)], [qw(white black celadon steel bamboo small large)]],
	['Home', 12, 138, 0.55, [qw(cushion throw lamp candle diffuser towel basket mirror vase)], [qw(cream grey green indigo terracotta small large)]],
	['Beauty', 14, 85, 0.62, [qw(hand-cream face-mask cleanser lip-balm shampoo body-lotion sunscreen serum soap)], [qw(rose jasmine green-tea unscented travel refill set)]],
	['Stationery', 9, 26, 0.40, [qw(notebook fountain-pen ink planner sketchbook brush-pen folder stickers cards)], [qw(A5 A6 black blue red dotted plain)]],
	['Toys', 7, 74, 0.45, [qw(puzzle wooden-train building-set plush board-game kite yo-yo model-kit clay)], [qw(beginner standard deluxe panda dragon mini classic)]],
	['Travel', 7, 165, 0.60, [qw(backpack umbrella passport-case water-bottle neck-pillow suitcase tote packing-cubes adapter)], [qw(black navy olive sand compact standard large)]],
);

1;
